"""Cutting a long recording at its pauses, into pieces that a model can take."""

import numpy as np

from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE

FRAME_SAMPLES = 160
"""10 ms: cuts lie between two of these frames."""
PAUSE_FRAMES = 20
"""200 ms: a cut lies in the middle of the quietest stretch of this length, which no stop consonant is as long as."""
SEARCHED_SHARE = 0.5
"""The part of a piece, at its end, in which its pause is looked for; so no piece but the last is shorter than half."""


def cut_at_pauses(waveform: np.ndarray, seconds: float) -> list[np.ndarray]:
    """Cut a waveform into pieces of at most ``seconds``; one that is short enough is a single piece.

    Every piece but the last is as long as may be, and then cut at the quietest pause of its second half.

    Args:
        waveform: samples at 16 kHz, ``(S,)``.
        seconds: of the longest piece, at least 1.

    Returns:
        Views ``(S_i,)`` of the waveform, in order; put together they are the waveform.

    Raises:
        MeritError: when ``seconds`` is less than 1.
    """
    if seconds < 1:
        raise MeritError(f"pieces of {seconds} seconds are too short to cut at pauses; give at least 1 second")
    longest = int(seconds * SAMPLE_RATE)
    pieces = []
    while len(waveform) > longest:
        cut = _quietest(waveform[:longest])
        pieces.append(waveform[:cut])
        waveform = waveform[cut:]
    return [*pieces, waveform]


def _quietest(samples: np.ndarray) -> int:
    """The middle of the quietest pause in the last part of ``samples``; of pauses that are equal, the last."""
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES).astype(np.float64)
    energy = (frames**2).sum(axis=1)[int(len(frames) * (1 - SEARCHED_SHARE)) :]
    # Sums over each stretch as differences of one running sum would round a silence between loud parts away.
    stretches = np.convolve(energy, np.ones(PAUSE_FRAMES), mode="valid")
    first = len(stretches) - 1 - int(stretches[::-1].argmin())
    return (len(frames) - len(energy) + first + PAUSE_FRAMES // 2) * FRAME_SAMPLES
