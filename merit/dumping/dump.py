"""Running an encoder once over a data directory and keeping its states, or what its front end makes of the audio."""

import logging
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from merit.data.batching import seconds_batches
from merit.data.datadir import first_of, read_durations, read_table
from merit.data.states.shard_writer import SHARD_BYTES, ShardWriter
from merit.data.states.state_shards import Content, StateType, audio_digest, require_disk_space
from merit.data.statistics import WaveformStatistics
from merit.device import Precision, default_device
from merit.dumping.dump_processes import compute_in_processes
from merit.dumping.dump_share import Share, compute_share, length_problem
from merit.errors import MeritError
from merit.nets.ssl import STATE_DEFINITION, SpeechEncoder, load_encoder
from merit.progress import progress
from merit.time_grid import SAMPLE_RATE

logger = logging.getLogger(__name__)


def state_header(encoder: SpeechEncoder, statistics: WaveformStatistics, content: Content = "states") -> dict[str, Any]:
    """Header entries that the dump of a run must have: what a reader should expect."""
    if content == "states":
        sizes = {"num_states": encoder.num_states, "hidden_size": encoder.hidden_size}
    else:
        sizes = {"feature_size": encoder.feature_size}
    return {
        "content": content,
        "fingerprint": encoder.fingerprint(),
        "state_definition": STATE_DEFINITION,
        **sizes,
        "sample_rate": SAMPLE_RATE,
        "mean": statistics.mean,
        "std": statistics.std,
    }


def dump_states(
    data: Path,
    ssl: str,
    output: Path,
    statistics: WaveformStatistics,
    dtype: StateType,
    batch_seconds: float,
    precision: Precision,
    shard_bytes: int = SHARD_BYTES,
    content: Content = "states",
    nj: int = 1,
) -> None:
    """Write the states of every utterance of ``data``; a dump that was stopped goes on, a complete one is left alone.

    Features are stored in place of the states when ``content`` says so. Computed in bfloat16 they are of that type
    already, and nothing is lost; what was computed in float32 is rounded to ``dtype``, as the states are.

    Args:
        data: data directory.
        ssl: encoder, see :func:`merit.nets.ssl.load_encoder`.
        output: directory of the dump.
        statistics: normalisation of the waveforms.
        dtype: 16-bit type to store.
        batch_seconds: audio in a batch, padding counted; it bounds the memory.
        precision: of the computation.
        shard_bytes: size of a shard; a process holds up to two in memory.
        content: the states of all layers, or the features that the front end gives the transformer.
        nj: processes; each computes on a GPU of its own where there are several. A dump that was stopped can go on
            with another number.

    Raises:
        MeritError: when the dump would not fit on the disk, the directory holds another one, or an utterance cannot be
            read, is too short or too long for the encoder, or has values beyond the range of ``dtype``.
    """
    if nj < 1:
        raise MeritError(f"--nj {nj}: expected the number of processes, at least 1")
    wav = read_table(data / "wav.scp")
    samples = {key: round(seconds * SAMPLE_RATE) for key, seconds in read_durations(data, wav).items()}
    encoder = load_encoder(ssl).eval()
    _require_lengths(data, samples, encoder)
    header = {
        "encoder": ssl,
        **state_header(encoder, statistics, content),
        "dtype": dtype,
        "audio": audio_digest(wav),
    }
    with ShardWriter(output, header, shard_bytes) as writer:
        todo = [key for key in wav if key not in writer.frames]
        if not todo:
            logger.info("%s: complete, %d utterances", output, len(wav))
            return
        if content == "states":
            values = encoder.num_states * encoder.hidden_size
            size = f"{encoder.num_states} states of {encoder.hidden_size} values every 20 ms in {dtype}"
        else:
            values = encoder.feature_size
            size = f"features of {values} values every 20 ms in {dtype}"
        frames = encoder.frame_lengths(torch.tensor([samples[key] for key in wav])).sum().item()
        total = frames * values * getattr(torch, dtype).itemsize
        hours = sum(samples.values()) / SAMPLE_RATE / 3600
        logger.info("%s: %d utterances, %.3f hours, %s: %.3f GB", output, len(wav), hours, size, total / 1e9)
        if len(todo) < len(wav):
            logger.info("%s: going on, %d utterances are there", output, len(wav) - len(todo))
        require_disk_space(output, max(0, total - writer.bytes_on_disk))
        batches = seconds_batches({key: samples[key] for key in todo}, batch_seconds)
        random.Random(0).shuffle(batches)  # every shard mixes all lengths, and processes have equal shares
        share = Share(batches, wav, statistics, content, dtype, precision)
        done = 0
        with progress(sum(samples[key] for key in todo) // SAMPLE_RATE, content, "audio-s") as bar:

            def advance(count: int) -> None:
                nonlocal done
                done += count
                bar.update(done // SAMPLE_RATE - bar.n)

            if (processes := min(nj, len(batches))) == 1:
                compute_share(share, encoder, default_device(), writer.write, advance)
            else:
                compute_in_processes(share, ssl, writer, shard_bytes, processes, advance)


def _require_lengths(data: Path, samples: Mapping[str, int], encoder: SpeechEncoder) -> None:
    problems = [problem for key, count in samples.items() if (problem := length_problem(key, count, encoder))]
    if problems:
        raise MeritError(
            f"{data}: nothing is dumped; take these utterances out of the data directory, or cut them:\n"
            + first_of(problems)
        )
