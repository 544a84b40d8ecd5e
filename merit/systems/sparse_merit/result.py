"""What a model says of a signal, as a whole or piece by piece."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE


@dataclass
class Result:
    """What a model says of one signal.

    Attributes:
        enhanced: (S,) float32 clean speech at 16 kHz, as loud as the input, or None without an enhancement head.
        emotion: probability of each class, or None without an emotion head.
        routing: task -> (T, N) weights of the experts, 50 frames a second; empty for a model that does not route.
        sample_rate: of ``enhanced``, Hz.
    """

    enhanced: np.ndarray | None
    emotion: dict[str, float] | None
    routing: dict[str, np.ndarray]
    sample_rate: int = SAMPLE_RATE


@dataclass
class Piece:
    """One piece of a signal that is worked through in pieces.

    Attributes:
        start, stop: the samples at 16 kHz that the model saw at once.
        result: the emotion of these samples; clean speech and routing as far as they are final, so that those of
            successive pieces follow each other without gap or overlap.
    """

    start: int
    stop: int
    result: Result


def check_finite(result: Result, samples: np.ndarray, name: str) -> None:
    """Refuse a result with NaN or infinity in it, whoever would write it down.

    Args:
        result: what the model says.
        samples: of the signal that it was given.
        name: of the signal.

    Raises:
        MeritError: with what is not finite.
    """
    parts = {} if result.enhanced is None else {"the clean speech": result.enhanced}
    parts |= {} if result.emotion is None else {"the emotion": list(result.emotion.values())}
    parts |= {f"the routing of {task}": weights for task, weights in result.routing.items()}
    if bad := [part for part, values in parts.items() if not np.isfinite(values).all()]:
        raise MeritError(
            f"{name}: the model gives NaN or infinity in {', '.join(bad)}. The largest sample is "
            f"{np.abs(samples).max():.3g}, where full scale is 1: scale the audio, or compute in float32"
        )


def join_pieces(pieces: Sequence[Piece]) -> Result:
    """The result for the whole signal from those of all its pieces."""
    results = [piece.result for piece in pieces]
    first = results[0]
    return Result(
        enhanced=None if first.enhanced is None else np.concatenate([result.enhanced for result in results]),
        emotion=None if first.emotion is None else mean_emotion(pieces),
        routing={task: np.concatenate([result.routing[task] for result in results]) for task in first.routing},
    )


def mean_emotion(pieces: Sequence[Piece]) -> dict[str, float]:
    """Probabilities of a signal: those of its pieces, averaged by their lengths."""
    total = sum(piece.stop - piece.start for piece in pieces)
    return {
        name: sum(piece.result.emotion[name] * (piece.stop - piece.start) for piece in pieces) / total
        for name in pieces[0].result.emotion
    }
