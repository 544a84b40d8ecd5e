"""Finding and reading the files of the authors' release, with nothing run that a file may name."""

import math
import pickle
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from torch import Tensor

from merit.data.statistics import WaveformStatistics
from merit.errors import MeritError

WEIGHTS = ("final_ssl.pt", "final_mmoe.pt", "final_pool.pt", "final_ser.pt", "final_se.pt")
STATISTICS = "train_norm_stat.pkl"

_STD_OFFSET = 1e-8
"""The release divides by the standard deviation plus this."""


def locate_release(
    paths: Iterable[PurePosixPath], source: str, with_statistics: bool = True
) -> dict[str, PurePosixPath]:
    """Where the files of the release lie, by their names.

    Args:
        paths: all files of a folder or repository, relative to it.
        source: its name, for messages.
        with_statistics: whether ``train_norm_stat.pkl`` is needed.

    Raises:
        MeritError: when a file is missing, or sub-folders hold several of it and none lies at the top.
    """
    wanted = (*WEIGHTS, STATISTICS) if with_statistics else WEIGHTS
    places: dict[str, list[PurePosixPath]] = {name: [] for name in wanted}
    for path in paths:
        if path.name in places:
            places[path.name].append(path)
    if missing := [name for name, found in places.items() if not found]:
        hint = ""
        if missing == [STATISTICS]:
            hint = (
                "; without it give tools/convert_author_checkpoint.py the --mean and --std of the noisy training "
                "speech (python -m merit.bin.waveform_statistics computes them)"
            )
        raise MeritError(
            f"{source}: of the authors' files it lacks {', '.join(missing)}; expected {', '.join(wanted)}{hint}"
        )
    chosen = {name: [path for path in found if len(path.parts) == 1] or found for name, found in places.items()}
    if any(len(found) > 1 for found in chosen.values()):
        folders = sorted({path.parent.as_posix() for found in chosen.values() for path in found})
        raise MeritError(f"{source}: holds the authors' files in several folders; give one: {', '.join(folders)}")
    return {name: found[0] for name, found in chosen.items()}


def read_state(path: Path) -> dict[str, Tensor]:
    """The state dict in a file of the release, as float32; the optimiser's state beside it is not read.

    Raises:
        MeritError: when the file is damaged, names anything but tensors and plain values, or is not such a file.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch's reader raises anything from EOFError to IndexError
        raise MeritError(
            f"{path}: cannot be read as tensors and plain values alone ({type(error).__name__}); it is damaged or "
            "not the authors' file. Fetch it again"
        ) from error
    state = checkpoint.get("model") if isinstance(checkpoint, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise MeritError(f"{path}: expected a state dict under 'model', as the authors' train.py writes it")
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise MeritError(f"{path}: {name} is not finite; the file is damaged, fetch it again")
    return {name: value.float() for name, value in state.items()}


def read_statistics(path: Path) -> WaveformStatistics:
    """The normalisation of the waveforms; over how many samples the file does not say, so ``samples`` is 0.

    Raises:
        MeritError: when the file holds anything but a pair of floats or numpy scalars.
    """
    try:
        with open(path, "rb") as file:
            pair = _PairUnpickler(file).load()
    except Exception as error:  # a damaged pickle raises anything
        raise MeritError(
            f"{path}: not read, it is damaged or names more than numbers ({type(error).__name__}: {error}); expected "
            "the mean and standard deviation of waveforms. Fetch it again"
        ) from error
    is_pair = isinstance(pair, tuple) and [type(value) for value in pair] == [float, float]
    if not is_pair or not (math.isfinite(pair[0]) and math.isfinite(pair[1]) and pair[1] > 0):
        raise MeritError(f"{path}: holds {pair!r:.100}; expected the mean and standard deviation of waveforms")
    return WaveformStatistics(mean=pair[0], std=pair[1] + _STD_OFFSET, samples=0)


class _FloatType:
    """Stands for ``numpy.dtype`` in a pickle and lets in single and double precision only."""

    def __init__(self, code: str, *_: object) -> None:
        if code not in ("f4", "f8"):
            raise pickle.UnpicklingError(f"a number of type {code!r}")
        self.code = code

    def __setstate__(self, state: tuple) -> None:
        if state[1] not in ("<", ">"):
            raise pickle.UnpicklingError(f"byte order {state[1]!r}")
        self.code = state[1] + self.code


def _scalar(kind: _FloatType, data: bytes) -> float:
    """Stands for numpy's function that makes a scalar of its bytes."""
    (value,) = np.frombuffer(data, kind.code)
    return float(value)


class _PairUnpickler(pickle.Unpickler):
    """Reads numbers and tuples; of all names only those of numpy scalars, for which functions of ours stand."""

    _STAND_INS = {
        ("numpy", "dtype"): _FloatType,
        ("numpy.core.multiarray", "scalar"): _scalar,  # as numpy 1 writes it
        ("numpy._core.multiarray", "scalar"): _scalar,
    }

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self._STAND_INS:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return self._STAND_INS[module, name]
