"""The mini corpus: short sentences spoken on the spot by espeak-ng, four emotions told apart by prosody alone."""

import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from merit.command import run_command
from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory
from merit.data.espeak import Espeak, Prosody
from merit.errors import MeritError
from merit.processes import quiet_processes
from merit.time_grid import SAMPLE_RATE

# Speaker = voice variant of espeak-ng, spoken with one of its English accents. Every set has high and low voices.
# Variants with "breath" in their definition are left out: the library does not speak them alike twice.
VOICES = {
    "train": {
        "f1": "en-us", "belinda": "en", "steph": "en-us", "anika": "en-gb-x-rp", "shelby": "en",
        "announcer": "en-us", "zac": "en", "steph3": "en-gb-x-rp", "Nguyen": "en-us", "ed": "en",
        "m1": "en-us", "m3": "en", "m5": "en-gb-x-rp", "m7": "en-us", "adam": "en-gb-scotland",
        "Gene": "en", "norbert": "en-us", "miguel": "en", "paul": "en-gb-x-rp", "travis": "en-us",
    },
    "dev": {"linda": "en-us", "grandma": "en", "m2": "en-us", "boris": "en"},
    "test": {"f4": "en-us", "aunty": "en", "m6": "en-us", "robert": "en-gb-scotland"},
    "babble": {
        "Annie": "en-us", "Andrea": "en", "steph2": "en-gb-x-rp", "Michael": "en-us",
        "m4": "en-us", "david": "en-gb-x-rp", "max": "en", "rob": "en-us",
    },
}  # fmt: skip

# Mean and standard deviation of rate, pitch, range and volume (espeak-ng's scales, see ``Prosody``). The distributions
# overlap a little; the voices, which differ in pitch of their own, make the emotions overlap more.
EMOTIONS = {
    "angry": ((245, 12), (30, 6), (55, 8), (68, 5)),
    "happy": ((200, 12), (88, 5), (95, 5), (43, 5)),
    "neutral": ((180, 10), (38, 6), (24, 6), (27, 4)),
    "sad": ((135, 10), (24, 6), (8, 5), (14, 3)),
}
# Standard deviation of a voice's median utterance. Some voice variants are several times as loud as others, more than
# anger is louder than sadness.
LEVEL = 0.05
LOWEST, HIGHEST = (110, 5, 0, 8), (280, 99, 100, 80)

# One word of each column makes a sentence, so that the words say nothing about the emotion.
GRAMMAR = (
    ("The children", "My neighbours", "Both doctors", "Our teachers", "The sailors", "Her cousins", "Some farmers"),
    ("carried", "painted", "found", "opened", "borrowed", "counted", "moved"),
    ("seven boxes", "the windows", "our baskets", "those letters", "his tables", "two bottles", "many ladders"),
    ("before noon", "on Monday", "in the garden", "by the river", "after dinner", "at the station", "last winter"),
)


@dataclass(frozen=True)
class Utterance:
    """One sentence to be spoken: its name, speaker, emotion, text and prosody."""

    name: str
    speaker: str
    emotion: str
    text: str
    prosody: Prosody


def plan_speaker(speaker: str, utterances: int, seed: int) -> list[Utterance]:
    """What ``speaker`` will say: the emotions in turn, text and prosody drawn from a generator of the speaker's own."""
    generator = np.random.default_rng([seed, *speaker.encode()])
    plan = []
    for index in range(utterances):
        emotion = list(EMOTIONS)[index % len(EMOTIONS)]
        text = " ".join(words[generator.integers(len(words))] for words in GRAMMAR)
        means, deviations = zip(*EMOTIONS[emotion])
        drawn = np.clip(generator.normal(means, deviations), LOWEST, HIGHEST)
        prosody = Prosody(*(int(value) for value in drawn.round()))
        plan.append(Utterance(f"{speaker}-{index:03d}", speaker, emotion, f"{text}.", prosody))
    return plan


def speak_set(name: str, utterances: int, corpus: Path, output: Path, seed: int) -> None:
    """Speak one set into ``corpus/<speaker>/<utterance>.flac`` and write its data directory.

    espeak-ng carries noise and phase over from one utterance to the next. A set is therefore spoken by a process of its
    own, from the first utterance to the last, so that the same options give the same samples.
    """
    espeak = Espeak()
    plan = [utterance for speaker in VOICES[name] for utterance in plan_speaker(speaker, utterances, seed)]
    waveforms, durations = {}, {}
    for utterance in plan:
        voice = f"{VOICES[name][utterance.speaker]}+{utterance.speaker}"
        waveform = espeak.speak(utterance.text, voice, utterance.prosody)
        common = np.gcd(SAMPLE_RATE, espeak.sample_rate)
        waveform = resample_poly(waveform, SAMPLE_RATE // common, espeak.sample_rate // common)
        waveforms[utterance.name] = waveform
        durations[utterance.name] = len(waveform) / SAMPLE_RATE
    wav = {utterance.name: corpus / utterance.speaker / f"{utterance.name}.flac" for utterance in plan}
    for speaker in VOICES[name]:
        own = [utterance.name for utterance in plan if utterance.speaker == speaker]
        level = np.median([np.std(waveforms[utterance]) for utterance in own])
        for utterance in own:
            write_audio(wav[utterance], waveforms[utterance] * (LEVEL / level))
    write_data_directory(
        output / name,
        wav=wav,
        utt2spk={utterance.name: utterance.speaker for utterance in plan},
        utt2emo={utterance.name: utterance.emotion for utterance in plan},
        utt2dur={key: f"{seconds:.4f}" for key, seconds in durations.items()},
        text={utterance.name: utterance.text for utterance in plan},
    )
    minutes = sum(durations.values()) / 60
    print(f"{output / name}: {len(VOICES[name])} speakers, {len(plan)} utterances, {minutes:.1f} minutes", flush=True)


def prepare_mini(
    corpus: Path,
    output: Path,
    train: int = 16,
    dev: int = 12,
    test: int = 24,
    babble: int = 40,
    seed: int = 0,
    nj: int = 2,
) -> None:
    """Speak the mini corpus: 16 kHz FLAC under ``corpus``, Kaldi data directories under ``output``.

    Args:
        corpus: folder of the audio.
        output: folder of the data directories ``train``, ``dev``, ``test`` and ``babble`` (the talkers of the noise).
        train: utterances of each of the twenty training speakers.
        dev: utterances of each of the four development speakers.
        test: utterances of each of the four test speakers.
        babble: utterances of each of the eight babble talkers.
        seed: of texts and prosody.
        nj: processes at a time.
    """
    utterances = {"train": train, "babble": babble, "test": test, "dev": dev}
    jobs = [(name, count, corpus.resolve(), output, seed) for name, count in utterances.items()]
    if nj < 1:
        raise MeritError(f"--nj {nj}: expected at least one process")
    with quiet_processes():
        pool = multiprocessing.get_context("spawn").Pool(nj, maxtasksperchild=1)
    with pool:
        pool.starmap(speak_set, jobs, chunksize=1)


if __name__ == "__main__":
    run_command(prepare_mini)
