"""Running an encoder once over a data directory and keeping its states."""

import logging
import random
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from merit.data.audio import SAMPLE_RATE, read_audio
from merit.data.datadir import first_of, read_durations, read_table
from merit.data.state_shards import SHARD_BYTES, ShardWriter, StateType, audio_digest, require_disk_space
from merit.data.statistics import WaveformStatistics
from merit.device import Precision, autocast, default_device
from merit.errors import MeritError
from merit.nets.ssl import STATE_DEFINITION, SpeechEncoder, load_encoder
from merit.progress import progress

logger = logging.getLogger(__name__)

BATCHES_AHEAD = 2
"""Batches whose audio is read while another is computed."""

POOL_BATCHES = 50
"""Batches are grouped by length inside random pools of so many, so that a shard mixes all lengths."""


def state_header(encoder: SpeechEncoder, statistics: WaveformStatistics) -> dict[str, Any]:
    """Header entries that the states of a run must have: what a reader of its dump should expect."""
    return {
        "fingerprint": encoder.fingerprint(),
        "state_definition": STATE_DEFINITION,
        "num_states": encoder.num_states,
        "hidden_size": encoder.hidden_size,
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
) -> None:
    """Write the states of every utterance of ``data``; a dump that was stopped goes on, a complete one is left alone.

    Args:
        data: data directory.
        ssl: encoder, see :func:`merit.nets.ssl.load_encoder`.
        output: directory of the states.
        statistics: normalisation of the waveforms.
        dtype: 16-bit type to store.
        batch_seconds: audio in a batch, padding counted; it bounds the memory.
        precision: of the computation.
        shard_bytes: size of a shard.

    Raises:
        MeritError: when the states would not fit on the disk, the directory holds other states, or an utterance cannot
            be read, is too short or too long for the encoder, or has states beyond the range of ``dtype``.
    """
    wav = read_table(data / "wav.scp")
    samples = {key: round(seconds * SAMPLE_RATE) for key, seconds in read_durations(data, wav).items()}
    encoder = load_encoder(ssl).eval()
    _require_lengths(data, samples, encoder)
    header = {"encoder": ssl, **state_header(encoder, statistics), "dtype": dtype, "audio": audio_digest(wav)}
    with ShardWriter(output, header, shard_bytes) as writer:
        todo = [key for key in wav if key not in writer.frames]
        if not todo:
            logger.info("%s: complete, %d utterances", output, len(wav))
            return
        frames = encoder.frame_lengths(torch.tensor([samples[key] for key in wav])).sum().item()
        total = frames * encoder.num_states * encoder.hidden_size * getattr(torch, dtype).itemsize
        hours = sum(samples.values()) / SAMPLE_RATE / 3600
        size = f"{encoder.num_states} states of {encoder.hidden_size} values every 20 ms in {dtype}"
        logger.info("%s: %d utterances, %.3f hours, %s: %.3f GB", output, len(wav), hours, size, total / 1e9)
        if len(todo) < len(wav):
            logger.info("%s: going on, %d utterances are there", output, len(wav) - len(todo))
        require_disk_space(output, max(0, total - writer.bytes_on_disk))
        batches = _batches({key: samples[key] for key in todo}, batch_seconds)
        bar = progress(sum(samples[key] for key in todo) // SAMPLE_RATE, "states", "audio-s")
        done = 0
        device = default_device()
        encoder.to(device)
        with bar, torch.inference_mode():
            for keys, waveform, lengths in _read_ahead(wav, batches, statistics, encoder):
                with autocast(precision, device):
                    states, frame_lengths = encoder(waveform.to(device), lengths.to(device))
                stored = states.to(getattr(torch, dtype)).cpu()
                for key, utterance, count in zip(keys, stored, frame_lengths.tolist()):
                    writer.write(key, _checked(key, utterance[:count], dtype).clone())
                done += lengths.sum().item()
                bar.update(done // SAMPLE_RATE - bar.n)


def _length_problem(key: str, samples: int, encoder: SpeechEncoder) -> str | None:
    seconds = f"{key}: {samples / SAMPLE_RATE:.3f} s"
    if samples < encoder.minimum_samples:
        return f"{seconds}, shorter than one frame of the encoder ({encoder.minimum_samples / SAMPLE_RATE:g} s)"
    if encoder.maximum_samples is not None and samples > encoder.maximum_samples:
        return f"{seconds}, longer than the encoder can take ({encoder.maximum_samples / SAMPLE_RATE:g} s)"
    return None


def _require_lengths(data: Path, samples: Mapping[str, int], encoder: SpeechEncoder) -> None:
    problems = [problem for key, count in samples.items() if (problem := _length_problem(key, count, encoder))]
    if problems:
        raise MeritError(
            f"{data}: nothing is dumped; take these utterances out of the data directory, or cut them:\n"
            + first_of(problems)
        )


def _batches(samples: Mapping[str, int], batch_seconds: float) -> list[list[str]]:
    """Utterances in batches of similar length, each at most ``batch_seconds`` long when padded, or one utterance."""
    keys = sorted(samples)
    random.Random(0).shuffle(keys)
    seconds = sum(samples.values()) / SAMPLE_RATE
    size = max(1, round(POOL_BATCHES * len(keys) * batch_seconds / seconds))
    batches: list[list[str]] = []
    for start in range(0, len(keys), size):
        batch: list[str] = []
        for key in sorted(keys[start : start + size], key=samples.__getitem__, reverse=True):
            # The first of a batch is its longest.
            if batch and samples[batch[0]] * (len(batch) + 1) > batch_seconds * SAMPLE_RATE:
                batches.append(batch)
                batch = []
            batch.append(key)
        batches.append(batch)
    return batches


def _read_ahead(
    wav: Mapping[str, str], batches: list[list[str]], statistics: WaveformStatistics, encoder: SpeechEncoder
) -> Iterator[tuple[list[str], Tensor, Tensor]]:
    """Batches as keys, zero-padded waveforms (B, S) and samples (B,), read by threads while others are computed."""

    def read(key: str) -> Tensor:
        samples = read_audio(wav[key], key)
        if problem := _length_problem(key, len(samples), encoder):
            raise MeritError(f"{problem}: {wav[key]}; its utt2dur says otherwise, prepare the data again")
        return torch.from_numpy(np.asarray(statistics.normalise(samples), dtype=np.float32))

    with ThreadPoolExecutor(max_workers=4) as threads:
        waiting: deque = deque()
        remaining = iter(batches)
        while True:
            while len(waiting) <= BATCHES_AHEAD and (keys := next(remaining, None)) is not None:
                waiting.append((keys, [threads.submit(read, key) for key in keys]))
            if not waiting:
                return
            keys, futures = waiting.popleft()
            waveforms = [future.result() for future in futures]
            lengths = torch.tensor([len(waveform) for waveform in waveforms])
            yield keys, torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True), lengths


def _checked(key: str, states: Tensor, dtype: StateType) -> Tensor:
    if not states.isfinite().all():
        hint = "dump with --dtype bfloat16, which has the range of float32" if dtype == "float16" else "check its audio"
        raise MeritError(f"{key}: its states are not finite in {dtype}; {hint}")
    return states
