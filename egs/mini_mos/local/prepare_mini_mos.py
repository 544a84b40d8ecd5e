"""The mini corpus of speech quality: espeak-ng speaks, a dozen degradations spoil it, simulated listeners rate it.

The true quality of a clip is PESQ (wide band) against the clean speech. Clips lie in ``corpus/<system>/<clip>.flac``.
"""

import multiprocessing
from pathlib import Path

import joblib
import numpy as np
from degradations import RATED, UNRATED
from raters import Rater, panels
from scipy.signal import resample_poly

from merit.command import run_command
from merit.data.audio import to_16_bits, write_audio
from merit.data.espeak import Espeak, Prosody
from merit.data.rated.rated_set import write_rated_set
from merit.data.rated.ratings import Rating
from merit.errors import MeritError
from merit.metrics.enhancement.pesq import wideband_pesq
from merit.processes import quiet_processes
from merit.time_grid import SAMPLE_RATE

VOICES = {
    "train": ("en-us+f1", "en-us+steph", "en-gb-x-rp+anika", "en-us+m1", "en-gb-x-rp+m5", "en-gb-scotland+adam"),
    "dev": ("en-us+linda", "en-us+m2"),
    "test": ("en-us+f4", "en+aunty", "en-us+m6", "en-gb-scotland+robert"),
}
GRAMMAR = (
    ("The children", "My neighbours", "Both doctors", "Our teachers", "The sailors", "Her cousins"),
    ("carried", "painted", "found", "opened", "borrowed", "counted"),
    ("seven boxes", "the windows", "our baskets", "those letters", "his tables", "two bottles"),
    ("before noon", "on Monday", "in the garden", "by the river", "after dinner", "at the station"),
)
LEVEL = 0.05  # standard deviation of every clean sentence


def speak(sentences: dict[str, int], seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Clean sentences (S,) at 16 kHz by set and name, the voices of a set in turn."""
    espeak = Espeak()
    common = np.gcd(SAMPLE_RATE, espeak.sample_rate)
    spoken: dict[str, dict[str, np.ndarray]] = {}
    for name, count in sentences.items():
        generator = np.random.default_rng([seed, *name.encode()])
        spoken[name] = {}
        for number in range(count):
            text = " ".join(words[generator.integers(len(words))] for words in GRAMMAR)
            prosody = Prosody(rate=int(generator.integers(150, 200)), pitch=int(generator.integers(35, 65)))
            waveform = espeak.speak(f"{text}.", VOICES[name][number % len(VOICES[name])], prosody)
            waveform = resample_poly(waveform, SAMPLE_RATE // common, espeak.sample_rate // common)
            spoken[name][f"{name}{number:03d}"] = (waveform * (LEVEL / np.std(waveform))).astype(np.float32)
    return spoken


def spoil(clean: np.ndarray, system: str, clip: str, file: Path, seed: int) -> float:
    """Write one spoilt clip; gives its quality, PESQ of what was written."""
    generator = np.random.default_rng([seed, *f"{system}/{clip}".encode()])
    spoilt = (RATED | UNRATED)[system](clean, generator)
    spoilt = spoilt * min(1.0, 0.99 / np.abs(spoilt).max())
    write_audio(file, spoilt)
    return wideband_pesq(clean, (to_16_bits(spoilt) / 32768).astype(np.float32))


def rate(system: str, clip: str, file: Path, quality: float, panel: list[Rater], votes: int, seed: int) -> list[Rating]:
    """The ratings of ``votes`` listeners of a panel, drawn for the clip."""
    generator = np.random.default_rng([seed, 2, *f"{system}/{clip}".encode()])
    chosen = sorted(generator.choice(len(panel), votes, replace=False))
    return [Rating(str(file), system, clip, panel[n].rate(quality, generator), panel[n].name) for n in chosen]


def prepare_mini_mos(
    corpus: Path,
    output: Path,
    train: int = 36,
    dev: int = 10,
    test: int = 20,
    votes: int = 8,
    seed: int = 0,
    nj: int = 2,
) -> None:
    """Make the corpus: 16 kHz FLAC under ``corpus``, data directories of rated clips under ``output``.

    Args:
        corpus: folder of the audio.
        output: folder of the data directories ``train``, ``dev`` and ``test``.
        train: sentences of the training set; each is spoilt by every system.
        dev: sentences of the dev set.
        test: sentences of the test set, rated by the second panel.
        votes: ratings of a clip.
        seed: of everything drawn.
        nj: processes at a time.
    """
    if nj < 1:
        raise MeritError(f"--nj {nj}: expected at least one process")
    with quiet_processes(), multiprocessing.get_context("spawn").Pool(1) as pool:  # its state ends with the process
        spoken = pool.apply(speak, ({"train": train, "dev": dev, "test": test}, seed))
    clips = [
        (name, system, clip, clean, corpus.resolve() / system / f"{clip}.flac")
        for name, sentences in spoken.items()
        for clip, clean in sentences.items()
        for system in (*RATED, *(UNRATED if name == "train" else ()))
    ]
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        qualities = joblib.Parallel(n_jobs=nj)(
            joblib.delayed(spoil)(clean, system, clip, file, seed) for _, system, clip, clean, file in clips
        )
    first, second = panels(seed)
    ratings: dict[str, list[Rating]] = {name: [] for name in spoken}
    for (name, system, clip, _, file), quality in zip(clips, qualities):
        if system in UNRATED:
            ratings[name].append(Rating(str(file), system, clip))
        else:
            ratings[name] += rate(system, clip, file, quality, second if name == "test" else first, votes, seed)
    for name, lines in ratings.items():
        write_rated_set(output / name, lines)


if __name__ == "__main__":
    run_command(prepare_mini_mos)
