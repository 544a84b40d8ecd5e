"""Ways of spoiling clean speech (S,) float32 at 16 kHz: each is one "system" of the mini corpus."""

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfilt

from merit.time_grid import SAMPLE_RATE

Degradation = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def white_noise(snr: float) -> Degradation:
    """White noise at a signal-to-noise ratio in dB over the whole clip."""

    def degrade(clean: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        noise = generator.standard_normal(len(clean))
        return clean + noise * np.sqrt(np.mean(clean**2) / 10 ** (snr / 10))

    return degrade


def low_pass(cutoff: float) -> Degradation:
    """A Butterworth low-pass of order 8; cutoff in Hz."""
    sections = butter(8, cutoff, fs=SAMPLE_RATE, output="sos")
    return lambda clean, generator: sosfilt(sections, clean)


def mu_law(bits: int) -> Degradation:
    """Quantisation in so many bits on G.711's mu-law curve (mu = 255)."""

    def degrade(clean: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        compressed = np.sign(clean) * np.log1p(255 * np.abs(clean)) / np.log(256)
        levels = 2 ** (bits - 1)
        quantised = np.clip(np.round(compressed * levels), -levels, levels) / levels
        return np.sign(quantised) * np.expm1(np.abs(quantised) * np.log(256)) / 255

    return degrade


def clipping(share: float) -> Degradation:
    """Samples beyond ``share`` of the 99.9th percentile of the magnitude are cut off there."""

    def degrade(clean: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        limit = share * np.quantile(np.abs(clean), 0.999)
        return np.clip(clean, -limit, limit)

    return degrade


def frame_loss(share: float) -> Degradation:
    """So large a share of the frames of 20 ms is lost, and silent."""

    def degrade(clean: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        frame = SAMPLE_RATE // 50
        kept = generator.random(-(-len(clean) // frame)) >= share
        return clean * np.repeat(kept, frame)[: len(clean)]

    return degrade


def echo(delay: float, gain: float) -> Degradation:
    """A single echo after ``delay`` seconds."""

    def degrade(clean: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        samples = round(delay * SAMPLE_RATE)
        late = np.zeros_like(clean)
        late[samples:] = clean[: len(clean) - samples]
        return clean + gain * late

    return degrade


def tremolo(frequency: float) -> Degradation:
    """A loudness that swings between nothing and all, ``frequency`` times a second."""

    def degrade(clean: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        time = np.arange(len(clean)) / SAMPLE_RATE
        return clean * (0.5 + 0.5 * np.sin(2 * np.pi * frequency * time))

    return degrade


RATED: dict[str, Degradation] = {
    "clean": lambda clean, generator: clean,
    "noise_50": white_noise(50),
    "noise_40": white_noise(40),
    "noise_30": white_noise(30),
    "noise_20": white_noise(20),
    "noise_5": white_noise(5),
    "lowpass_3400": low_pass(3400),
    "lowpass_1500": low_pass(1500),
    "mulaw_8": mu_law(8),
    "mulaw_6": mu_law(6),
    "clipping": clipping(0.6),
    "loss_2": frame_loss(0.02),
    "loss_10": frame_loss(0.1),
}
"""Systems that raters hear, in training and test."""

UNRATED: dict[str, Degradation] = {"echo": echo(0.12, 0.6), "tremolo": tremolo(6)}
"""Systems whose clips nobody rates: the classification of the training alone has them."""
