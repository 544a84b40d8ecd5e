"""The mini corpus of speech to text: espeak-ng speaks sentences of a toy grammar, rules translate them."""

import multiprocessing
from pathlib import Path

import numpy as np
from grammar import sentence
from scipy.signal import resample_poly

from merit.command import run_command
from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory
from merit.data.espeak import Espeak, Prosody
from merit.processes import quiet_processes
from merit.time_grid import SAMPLE_RATE

VOICES = (
    "en-us+f1",
    "en-us+f4",
    "en-gb-x-rp+anika",
    "en-us+linda",
    "en-us+m1",
    "en-us+m6",
    "en-gb-x-rp+m5",
    "en+boris",
)
LEVEL = 0.05  # standard deviation of every sentence


def texts(counts: dict[str, int], seed: int) -> dict[str, list[tuple[str, str]]]:
    """English and French sentences of each set, none of them twice."""
    generator = np.random.default_rng(seed)
    known: set[tuple[str, str]] = set()
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in counts}
    for name, count in counts.items():
        while len(found[name]) < count:
            pair = sentence(generator)
            if pair not in known:
                known.add(pair)
                found[name].append(pair)
    return found


def speak(sentences: dict[str, list[tuple[str, str]]], corpus: Path, seed: int) -> dict[str, dict[str, float]]:
    """Write the English sentences of each set, its voices in turn; gives the seconds of each utterance."""
    espeak = Espeak()
    common = np.gcd(SAMPLE_RATE, espeak.sample_rate)
    seconds: dict[str, dict[str, float]] = {}
    for name, pairs in sentences.items():
        generator = np.random.default_rng([seed, *name.encode()])
        seconds[name] = {}
        for number, (english, _) in enumerate(pairs):
            prosody = Prosody(rate=int(generator.integers(170, 220)), pitch=int(generator.integers(35, 65)))
            waveform = espeak.speak(f"{english}.", VOICES[number % len(VOICES)], prosody)
            waveform = resample_poly(waveform, SAMPLE_RATE // common, espeak.sample_rate // common)
            waveform = (waveform * (LEVEL / np.std(waveform))).astype(np.float32)
            waveform *= min(1.0, 0.99 / np.abs(waveform).max())
            utterance = f"{VOICES[number % len(VOICES)].split('+')[1]}-{name}{number:04d}"
            write_audio(corpus / name / f"{utterance}.flac", waveform)
            seconds[name][utterance] = len(waveform) / SAMPLE_RATE
    return seconds


def prepare_mini_s2t(
    corpus: Path, output: Path, train: int = 1200, dev: int = 40, test: int = 100, seed: int = 0
) -> None:
    """Make the corpus: 16 kHz FLAC under ``corpus``, data directories with English and French texts under ``output``.

    Args:
        corpus: folder of the audio.
        output: folder of the data directories ``train``, ``dev`` and ``test``.
        train: sentences of the training set.
        dev: sentences of the dev set.
        test: sentences of the test set, none of which is in the others.
        seed: of everything drawn.
    """
    sentences = texts({"train": train, "dev": dev, "test": test}, seed)
    with quiet_processes(), multiprocessing.get_context("spawn").Pool(1) as pool:  # its state ends with the process
        spoken = pool.apply(speak, (sentences, corpus, seed))
    for name, seconds in spoken.items():
        pairs = dict(zip(seconds, sentences[name]))
        write_data_directory(
            output / name,
            {key: str(corpus.resolve() / name / f"{key}.flac") for key in seconds},
            {key: key.split("-")[0] for key in seconds},
            utt2dur={key: f"{duration:.4f}" for key, duration in seconds.items()},
            utt2bw=dict.fromkeys(seconds, "wide"),
            **{
                f"text.{language}": {key: pair[place] for key, pair in pairs.items()}
                for place, language in enumerate(("en", "fr"))
            },
        )


if __name__ == "__main__":
    run_command(prepare_mini_s2t)
