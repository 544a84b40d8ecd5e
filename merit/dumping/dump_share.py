"""What one process computes of a dump: batches of utterances, from audio to shards."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from merit.data.audio import read_audio
from merit.data.states.shard import Content, StateType
from merit.data.statistics import WaveformStatistics
from merit.device import Precision, autocast
from merit.errors import MeritError
from merit.nets.masks import length_mask
from merit.nets.ssl import SpeechEncoder
from merit.time_grid import SAMPLE_RATE

BATCHES_AHEAD = 2
"""Batches whose audio is read while another is computed."""


@dataclass(frozen=True)
class Share:
    """What is to be computed.

    Attributes:
        batches: utterances that are computed at once.
        wav: utterance -> entry of ``wav.scp``.
        statistics: normalisation of the waveforms.
        content: states or features.
        dtype: 16-bit type to store.
        precision: of the computation.
    """

    batches: list[list[str]]
    wav: Mapping[str, str]
    statistics: WaveformStatistics
    content: Content
    dtype: StateType
    precision: Precision


@dataclass(frozen=True)
class _Batch:
    """A batch that the device computes or has computed.

    Attributes:
        keys, samples, frames: utterances and how long each is.
        values: (B, T, L, D) or (B, T, C) on the CPU, there once ``wait`` has returned.
        finite: (B,) on the CPU, there once ``wait`` has returned.
        wait: waits for the two.
    """

    keys: list[str]
    samples: Tensor
    frames: Tensor
    values: Tensor
    finite: Tensor
    wait: Callable[[], None]


def compute_share(
    share: Share,
    encoder: SpeechEncoder,
    device: torch.device,
    write: Callable[[str, Tensor], None],
    advance: Callable[[int], None],
) -> None:
    """Hand the states or features of every utterance to ``write``, a batch after the next one was launched.

    So on a GPU the copy to the CPU and the writing are done while it computes. Two batches are in memory.

    Args:
        share: what to compute.
        encoder: it is moved to ``device``.
        device: where it is computed.
        write: takes an utterance and its states (T, L, D) or features (T, C), in the type to store.
        advance: takes the samples of a batch that was handed on.

    Raises:
        MeritError: when an utterance cannot be read, is too short or too long for the encoder, or has values beyond
            the range of the type to store.
    """
    encoder = encoder.to(device).eval()
    before: _Batch | None = None
    for keys, waveform, lengths in _read_ahead(share, encoder):
        launched = _launch(share, encoder, device, keys, waveform, lengths)
        if before is not None:
            _hand_on(share, before, write, advance)
        before = launched
    if before is not None:
        _hand_on(share, before, write, advance)


@torch.inference_mode()
def _launch(
    share: Share, encoder: SpeechEncoder, device: torch.device, keys: list[str], waveform: Tensor, lengths: Tensor
) -> _Batch:
    """Start computing a batch of waveforms (B, S) with so many samples (B,), and copying to the CPU.

    Lengths stay on the CPU and the waveforms are in page-locked memory, so that nothing waits for a GPU.
    """
    if device.type == "cuda":
        waveform = waveform.pin_memory()
    compute = encoder if share.content == "states" else encoder.features
    with autocast(share.precision, device):
        values, frame_lengths = compute(waveform.to(device, non_blocking=True), lengths)
    values = values.to(getattr(torch, share.dtype))
    # Frames past the end of an utterance may hold anything.
    finite = values.isfinite().flatten(2).all(2) | ~length_mask(
        frame_lengths.to(device, non_blocking=True), values.shape[1]
    )
    return _Batch(keys, lengths, frame_lengths, *_copy_to_cpu(values, finite.all(1)))


def _copy_to_cpu(values: Tensor, finite: Tensor) -> tuple[Tensor, Tensor, Callable[[], None]]:
    """Start copying both to the CPU: the copies and what waits for them."""
    if values.device.type == "cpu":
        return values, finite, lambda: None
    copies = [torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True) for tensor in (values, finite)]
    for copy, tensor in zip(copies, (values, finite)):
        copy.copy_(tensor, non_blocking=True)
    return *copies, torch.cuda.current_stream(values.device).record_event().synchronize


def _hand_on(share: Share, batch: _Batch, write: Callable[[str, Tensor], None], advance: Callable[[int], None]) -> None:
    batch.wait()
    for key, values, frames, finite in zip(batch.keys, batch.values, batch.frames.tolist(), batch.finite.tolist()):
        if not finite:
            hint = "check its audio"
            if share.dtype == "float16":
                hint = "dump with --dtype bfloat16, which has the range of float32"
            raise MeritError(f"{key}: its {share.content} are not finite in {share.dtype}; {hint}")
        write(key, values[:frames].clone())  # the padding is not kept in memory
    advance(int(batch.samples.sum()))


def length_problem(key: str, samples: int, encoder: SpeechEncoder) -> str | None:
    """Why an encoder cannot take an utterance of so many samples; None when it can."""
    seconds = f"{key}: {samples / SAMPLE_RATE:.3f} s"
    if samples < encoder.minimum_samples:
        return f"{seconds}, shorter than one frame of the encoder ({encoder.minimum_samples / SAMPLE_RATE:g} s)"
    if encoder.maximum_samples is not None and samples > encoder.maximum_samples:
        return f"{seconds}, longer than the encoder can take ({encoder.maximum_samples / SAMPLE_RATE:g} s)"
    return None


def _read_ahead(share: Share, encoder: SpeechEncoder) -> Iterator[tuple[list[str], Tensor, Tensor]]:
    """Batches as keys, zero-padded waveforms (B, S) and samples (B,), read by threads while others are computed."""

    def read(key: str) -> Tensor:
        entry = share.wav[key]
        samples = read_audio(entry, key)
        if problem := length_problem(key, len(samples), encoder):
            raise MeritError(f"{problem}: {entry}; its utt2dur says otherwise, prepare the data again")
        return torch.from_numpy(np.asarray(share.statistics.normalise(samples), dtype=np.float32))

    with ThreadPoolExecutor(max_workers=4) as threads:
        waiting: deque = deque()
        remaining = iter(share.batches)
        while True:
            while len(waiting) <= BATCHES_AHEAD and (keys := next(remaining, None)) is not None:
                waiting.append((keys, [threads.submit(read, key) for key in keys]))
            if not waiting:
                return
            keys, futures = waiting.popleft()
            waveforms = [future.result() for future in futures]
            lengths = torch.tensor([len(waveform) for waveform in waveforms])
            yield keys, torch.nn.utils.rnn.pad_sequence(waveforms, batch_first=True), lengths
