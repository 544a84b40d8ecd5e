"""Running an encoder once over a data directory and keeping its states, or what its front end makes of the audio."""

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from merit.data.audio import audio_digest
from merit.data.batching import seconds_batches
from merit.data.datadir import first_of, read_durations, read_table, require_stored
from merit.data.states.disk_space import require_disk_space
from merit.data.states.shard import Content, StateType
from merit.data.states.shard_writer import ShardWriter
from merit.data.statistics import WaveformStatistics
from merit.device import Precision, default_device
from merit.dumping.dump_processes import compute_in_processes
from merit.dumping.dump_share import Share, compute_share, length_problem
from merit.errors import MeritError
from merit.jobs.lock import sole_writer
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
    statistics: Path,
    dtype: StateType = "bfloat16",
    batch_seconds: float = 120.0,
    precision: Precision = "auto",
    content: Content = "states",
    nj: int = 1,
) -> None:
    """Write the hidden states of all layers of an encoder, or its features, for every utterance of a data directory.

    Features are what its frozen convolutional front end gives the transformer: of WavLM Large a fiftieth of the states'
    disk. Training runs the transformer over them.

    The disk it takes is estimated, printed and compared with what is free before anything is written. A dump that was
    stopped goes on where it was, also with another --nj; one that is complete is left alone; what comes of another
    encoder, normalisation or audio is never mixed in.

    Args:
        data: data directory.
        ssl: encoder: transformers directory, hub name, or an original WavLM .pt file.
        output: directory of the dump.
        statistics: waveform_stats.json that normalises the waveforms; for dev and test data too, the training set's.
        dtype: 16-bit type to store; what is computed in float32 is rounded to it.
        batch_seconds: seconds of audio computed at once; more is faster on a GPU and takes more memory.
        precision: of the computation; auto is bfloat16 where that is fast.
        content: states or features.
        nj: processes, each on a GPU of its own where there are several; each holds the encoder and up to 2 GB of what
            is to be written in memory.

    Raises:
        MeritError: when the dump would not fit on the disk, the directory holds another one or another process writes
            there, or an utterance cannot be read, is too short or too long for the encoder, or has values beyond the
            range of ``dtype``.
    """
    if nj < 1:
        raise MeritError(f"--nj {nj}: expected the number of processes, at least 1")
    require_stored(data)
    normalisation = WaveformStatistics.load(statistics)
    with sole_writer(output):
        wav = read_table(data / "wav.scp")
        samples = {key: round(seconds * SAMPLE_RATE) for key, seconds in read_durations(data, wav).items()}
        encoder = load_encoder(ssl).eval()
        _require_lengths(data, samples, encoder)
        header = {
            "encoder": ssl,
            **state_header(encoder, normalisation, content),
            "dtype": dtype,
            "audio": audio_digest(wav),
        }
        with ShardWriter(output, header) as writer:
            todo = {key: count for key, count in samples.items() if key not in writer.frames}
            if not todo:
                logger.info("%s: complete, %d utterances", output, len(wav))
                return
            _require_room(writer, samples, encoder, content, dtype)
            if len(todo) < len(wav):
                logger.info("%s: going on, %d utterances are there", output, len(wav) - len(todo))
            batches = seconds_batches(todo, batch_seconds)
            random.Random(0).shuffle(batches)  # every shard mixes all lengths, and processes have equal shares
            share = Share(batches, wav, normalisation, content, dtype, precision)
            processes = min(nj, len(batches))
            with _bar(sum(todo.values()), content) as advance:
                if processes == 1:
                    compute_share(share, encoder, default_device(), writer.write, advance)
                else:
                    compute_in_processes(share, ssl, writer, processes, advance)


def _require_lengths(data: Path, samples: Mapping[str, int], encoder: SpeechEncoder) -> None:
    problems = [problem for key, count in samples.items() if (problem := length_problem(key, count, encoder))]
    if problems:
        raise MeritError(
            f"{data}: nothing is dumped; take these utterances out of the data directory, or cut them:\n"
            + first_of(problems)
        )


def _require_room(
    writer: ShardWriter, samples: Mapping[str, int], encoder: SpeechEncoder, content: Content, dtype: StateType
) -> None:
    """Log what the whole dump takes, and refuse to start when what is not written yet has no room on the disk."""
    if content == "states":
        values = encoder.num_states * encoder.hidden_size
        size = f"{encoder.num_states} states of {encoder.hidden_size} values every 20 ms in {dtype}"
    else:
        values = encoder.feature_size
        size = f"features of {values} values every 20 ms in {dtype}"
    frames = encoder.frame_lengths(torch.tensor(list(samples.values()))).sum().item()
    total = frames * values * getattr(torch, dtype).itemsize
    hours = sum(samples.values()) / SAMPLE_RATE / 3600
    output = writer.directory
    logger.info("%s: %d utterances, %.3f hours, %s: %.3f GB", output, len(samples), hours, size, total / 1e9)
    require_disk_space(output, max(0, total - writer.bytes_on_disk))


@contextmanager
def _bar(samples: int, description: str) -> Iterator[Callable[[int], None]]:
    """A progress bar over seconds of audio; yields a function that takes the samples done since its last call."""
    done = 0
    with progress(samples // SAMPLE_RATE, description, "audio-s") as bar:

        def advance(count: int) -> None:
            nonlocal done
            done += count
            bar.update(done // SAMPLE_RATE - bar.n)

        yield advance
