"""The unseen noises of the mini recipe, made on the spot: wind in gusts and a machine that hums and hammers."""

from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt

from merit.command import run_command
from merit.data.audio import write_audio
from merit.time_grid import SAMPLE_RATE


def wind(samples: int, generator: np.random.Generator) -> np.ndarray:
    """Wind at a microphone: noise that falls by 12 dB an octave above 100 to 300 Hz, its level moved by slow gusts."""
    rumble = _filtered(generator, samples, generator.uniform(100, 300), "lowpass")
    gusts = _filtered(generator, samples, 0.4, "lowpass")
    hiss = _filtered(generator, samples, 2000, "highpass")
    return np.exp(gusts) * (rumble + 0.05 * hiss)


def machine(samples: int, generator: np.random.Generator) -> np.ndarray:
    """A machine: twenty harmonics of 50 to 120 Hz that waver, and hammer strokes ringing at 0.8 to 3.5 kHz."""
    time = np.arange(samples) / SAMPLE_RATE
    wavering = 1 + 0.01 * _filtered(generator, samples, 3, "lowpass")
    phase = 2 * np.pi * generator.uniform(50, 120) * np.cumsum(wavering) / SAMPLE_RATE
    harmonics = np.arange(1, 21)
    shifts = generator.uniform(0, 2 * np.pi, len(harmonics))
    hum = sum(np.sin(k * phase + shift) / k for k, shift in zip(harmonics, shifts))
    ringing = time[: round(0.15 * SAMPLE_RATE)]
    stroke = np.exp(-60 * ringing) * sum(np.sin(2 * np.pi * f * ringing) for f in generator.uniform(800, 3500, 4))
    period = int(generator.uniform(0.2, 0.5) * SAMPLE_RATE)
    impulses = np.zeros(samples)
    impulses[generator.integers(period) :: period] = 1
    return hum + 2 * np.convolve(impulses, stroke)[:samples] + 0.05 * generator.standard_normal(samples)


def _filtered(generator: np.random.Generator, samples: int, frequency: float, kind: str) -> np.ndarray:
    """White noise through a second-order Butterworth filter, cut at ``frequency`` (Hz), brought to unit variance."""
    sections = butter(2, frequency, kind, fs=SAMPLE_RATE, output="sos")
    settling = SAMPLE_RATE  # the filter's start is left out
    noise = sosfilt(sections, generator.standard_normal(samples + settling))[settling:]
    return noise / noise.std()


def make_noise(output: Path, files: int = 12, seconds: float = 10.0, seed: int = 0) -> None:
    """Write ``output/wind/NN.flac`` and ``output/machine/NN.flac``.

    Args:
        output: folder of the noise corpora.
        files: of each noise.
        seconds: length of a file.
        seed: of everything random.
    """
    for noise in (wind, machine):
        for index in range(files):
            generator = np.random.default_rng([seed, *noise.__name__.encode(), index])
            waveform = noise(round(seconds * SAMPLE_RATE), generator)
            write_audio(output / noise.__name__ / f"{index:02d}.flac", 0.5 * waveform / np.abs(waveform).max())


if __name__ == "__main__":
    run_command(make_noise)
