"""Log-mel features of a data directory in shards, so that training reads no audio."""

import logging
from pathlib import Path

import joblib
import torch
from torch import Tensor

from merit.data.audio import audio_digest, read_audio
from merit.data.datadir import read_table
from merit.data.states.shard_reader import ShardReader
from merit.data.states.shard_writer import ShardWriter
from merit.errors import MeritError
from merit.processes import quiet_processes
from merit.progress import progress
from merit.systems.smoe.log_mel_features import log_mel

logger = logging.getLogger(__name__)

AT_ONCE = 256
"""Utterances handed to the processes together."""


def feature_header(mel_bins: int) -> dict[str, object]:
    """What a dump of log-mel features says of itself, but for its audio."""
    definition = f"Kaldi log-mel, {mel_bins} bins, 25 ms every 10 ms, utterance mean and variance"
    return {"content": "features", "encoder": "log-mel", "features": definition, "dtype": "float16"}


def dump_features(data: Path, output: Path, mel_bins: int = 80, nj: int = 1) -> None:
    """Write the log-mel features of a data directory as shards; what an interrupted dump left is kept.

    Args:
        data: data directory.
        output: directory of the dump.
        mel_bins: of the features.
        nj: processes.

    Raises:
        MeritError: when the directory holds another dump, an utterance cannot be read, or the disk is full.
    """
    if nj < 1:
        raise MeritError(f"--nj {nj}: expected at least one process")
    wav = read_table(data / "wav.scp")
    header = feature_header(mel_bins) | {"audio": audio_digest(wav)}
    with ShardWriter(output, header) as writer:
        missing = [key for key in wav if key not in writer.frames]
        with (
            quiet_processes(),
            joblib.parallel_config(backend="loky", inner_max_num_threads=1),
            joblib.Parallel(n_jobs=nj) as parallel,
            progress(len(missing), output.name, " utterances") as bar,
        ):
            for first in range(0, len(missing), AT_ONCE):
                keys = missing[first : first + AT_ONCE]
                for key, features in zip(keys, parallel(joblib.delayed(_features)(wav[k], k, mel_bins) for k in keys)):
                    writer.write(key, features)
                bar.update(len(keys))
    logger.info("%s: features of %d utterances", output, len(wav))


def _features(entry: str, key: str, mel_bins: int) -> Tensor:
    return log_mel(read_audio(entry, key), key, mel_bins).to(torch.float16)


def open_features(dump: Path, data: Path, mel_bins: int) -> ShardReader:
    """The dump of a data directory.

    Raises:
        MeritError: when it is missing, not of these features, or not of this audio.
    """
    return ShardReader(dump, feature_header(mel_bins) | {"audio": audio_digest(read_table(data / "wav.scp"))})
