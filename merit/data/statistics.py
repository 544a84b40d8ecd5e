"""One mean and standard deviation over all waveform samples of a data directory: MERIT's input normalisation.

The statistics of the noisy training set normalise noisy and clean waveforms alike and are undone before scoring.
"""

import json
import logging
import math
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import joblib
import numpy as np

from merit.data.audio import audio_digest, read_audio
from merit.data.datadir import is_mixed_online, read_table
from merit.data.noise.online.online_speech import OnlineSpeech
from merit.errors import MeritError
from merit.files import write_text

logger = logging.getLogger(__name__)

Waveform = TypeVar("Waveform")
"""A numpy array or a torch tensor."""


@dataclass(frozen=True)
class WaveformStatistics:
    """Mean and standard deviation (population) of waveform samples, and how many samples they were taken over."""

    mean: float
    std: float
    samples: int

    def normalise(self, waveform: Waveform) -> Waveform:
        """Return ``(waveform - mean) / std``, any shape; to be applied before zero padding."""
        return (waveform - self.mean) / self.std

    def restore(self, waveform: Waveform) -> Waveform:
        """Undo ``normalise``."""
        return waveform * self.std + self.mean

    def save(self, path: Path, **origin: str) -> None:
        """Write the statistics as JSON, beside what is to be known of their origin."""
        write_text(path, json.dumps({**asdict(self), **origin}, indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "WaveformStatistics":
        """Read what ``save`` wrote.

        Raises:
            MeritError: when the file is missing or holds something else.
        """
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            return cls(mean=float(fields["mean"]), std=float(fields["std"]), samples=int(fields["samples"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MeritError(f"{path}: expected waveform statistics (mean, std, samples): {error!r}") from error


def waveform_statistics(data_dir: Path, nj: int = 1) -> WaveformStatistics:
    """Return the statistics over all samples of ``wav.scp``, with ``nj`` processes.

    Of a directory that is mixed while it is read they are those of the mixtures of its first epoch. They are kept in
    ``data_dir/waveform_stats.json``, with a digest of the audio, and read from there while the audio is the same.

    Raises:
        MeritError: when an utterance cannot be read, all audio is one constant, or ``nj`` is less than 1.
    """
    if nj < 1:
        raise MeritError(f"--nj {nj}: expected at least one process")
    wav = read_table(data_dir / "wav.scp")
    online = is_mixed_online(data_dir)
    kept, digest = data_dir / "waveform_stats.json", OnlineSpeech(data_dir).digest() if online else audio_digest(wav)
    if _audio_of(kept) == digest:
        return WaveformStatistics.load(kept)
    logger.info("%s: mean and standard deviation over the samples of %d utterances", data_dir, len(wav))
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        jobs = (
            joblib.delayed(_mixed_sums)(data_dir, digest, key) if online else joblib.delayed(_sums)(entry, key)
            for key, entry in wav.items()
        )
        sums = joblib.Parallel(n_jobs=nj)(jobs)
    count = sum(samples for samples, _, _ in sums)
    mean = math.fsum(total for _, total, _ in sums) / count
    variance = math.fsum(squares for _, _, squares in sums) / count - mean**2
    if variance <= 0:
        raise MeritError(f"{data_dir}/wav.scp: all samples are equal, so there is nothing to normalise by")
    statistics = WaveformStatistics(mean=mean, std=math.sqrt(variance), samples=count)
    statistics.save(kept, audio=digest)
    return statistics


def _audio_of(kept: Path) -> str | None:
    """The digest of the audio that kept statistics are of; None where there are none, or half a file."""
    try:
        return json.loads(kept.read_text(encoding="utf-8")).get("audio")
    except (OSError, ValueError, AttributeError):
        return None


def _sums(entry: str, key: str) -> tuple[int, float, float]:
    return _sums_of(read_audio(entry, key).astype(np.float64))


def _mixed_sums(data_dir: Path, digest: str, key: str) -> tuple[int, float, float]:
    return _sums_of(_online_speech(data_dir, digest).draw(key, epoch=0).mixture.noisy.astype(np.float64))


def _sums_of(samples: np.ndarray) -> tuple[int, float, float]:
    return len(samples), float(samples.sum()), float(np.square(samples).sum())


@lru_cache(maxsize=1)
def _online_speech(data_dir: Path, digest: str) -> OnlineSpeech:
    """Opened once in a process, as long as the ``digest`` is the same."""
    return OnlineSpeech(data_dir)
