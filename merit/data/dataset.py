"""Utterances of a mixed data directory as training examples, and padded batches of them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from merit.data.audio import MIN_SAMPLES, SAMPLE_RATE, read_audio
from merit.data.batching import cut
from merit.data.datadir import read_durations, read_table
from merit.data.state_shards import HEADER, ShardReader
from merit.data.statistics import WaveformStatistics
from merit.errors import MeritError

FRAME_SAMPLES = 320
"""Samples from one encoder frame to the next."""


@dataclass
class Batch:
    """A zero-padded batch.

    Attributes:
        keys: utterance names.
        lengths: (B,) samples of the waveforms.
        noisy, clean: (B, S) normalised waveforms, or None when not asked for.
        labels: (B,) class indices, or None.
        states: (B, T, L, D) hidden states of the noisy speech, or None.
        frame_lengths: (B,) frames of the states or the features, or None.
        features: (B, T, C) what the encoder's convolutional front end makes of the noisy speech, or None.
    """

    keys: list[str]
    lengths: Tensor
    noisy: Tensor | None = None
    clean: Tensor | None = None
    labels: Tensor | None = None
    states: Tensor | None = None
    frame_lengths: Tensor | None = None
    features: Tensor | None = None

    def to(self, device: torch.device, lengths: bool = True) -> "Batch":
        """The same batch with all tensors on ``device``; False leaves both kinds of lengths where they are."""
        left = () if lengths else ("lengths", "frame_lengths")
        moved = {
            field.name: value.to(device, non_blocking=True)
            for field in fields(self)
            if field.name not in left and isinstance(value := getattr(self, field.name), Tensor)
        }
        return replace(self, **moved)

    def pin_memory(self) -> "Batch":
        """The same batch in page-locked memory (called by the data loader)."""
        pinned = {
            field.name: value.pin_memory()
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        return replace(self, **pinned)


def crop_window(
    key: str, epoch: int, seed: int, frames: int, samples: int, crop_frames: int | None
) -> tuple[slice, slice]:
    """Encoder frames and waveform samples of one random crop; all of a shorter utterance, or without ``crop_frames``.

    The start is a function of the arguments alone, so neither resuming nor dumping the states changes it.
    """
    if crop_frames is None or frames <= crop_frames:
        return slice(0, frames), slice(0, samples)
    start = random.Random(f"{seed}/{epoch}/{key}").randint(0, frames - crop_frames)
    stop = start + crop_frames
    return slice(start, stop), slice(start * FRAME_SAMPLES, min(samples, stop * FRAME_SAMPLES))


def _stack(values: Sequence[Tensor]) -> Tensor:
    """Pad with zeros to the longest; ``pad_sequence`` writes zeros everywhere first, which takes long for states."""
    stacked = values[0].new_empty(len(values), max(map(len, values)), *values[0].shape[1:])
    for row, value in zip(stacked, values):
        row[: len(value)] = value
        row[len(value) :] = 0
    return stacked


def collate(items: Sequence[Batch]) -> Batch:
    """Join batches of one utterance into a padded batch."""

    def joined(name: str) -> Tensor | None:
        values = [getattr(item, name) for item in items]
        return None if values[0] is None else _stack([value[0] for value in values])

    return Batch(
        keys=[key for item in items for key in item.keys],
        lengths=torch.cat([item.lengths for item in items]),
        **{name: joined(name) for name in ("noisy", "clean", "states", "features")},
        **{
            name: None if getattr(items[0], name) is None else torch.cat([getattr(item, name) for item in items])
            for name in ("labels", "frame_lengths")
        },
    )


def crop_states(batch: Batch, epoch: int, seed: int, crop_frames: int) -> Batch:
    """Crop a batch of whole utterances with states to ``crop_frames`` frames, each at its own :func:`crop_window`.

    Nothing waits for a GPU when the two kinds of lengths are in the memory of the host; features are left out.
    """
    items = []
    for b, key in enumerate(batch.keys):
        frames, samples = crop_window(key, epoch, seed, int(batch.frame_lengths[b]), int(batch.lengths[b]), crop_frames)
        one = slice(b, b + 1)
        items.append(
            Batch(
                keys=[key],
                lengths=torch.tensor([samples.stop - samples.start], device=batch.lengths.device),
                noisy=None if batch.noisy is None else batch.noisy[one, samples],
                clean=None if batch.clean is None else batch.clean[one, samples],
                labels=None if batch.labels is None else batch.labels[one],
                states=batch.states[one, frames],
                frame_lengths=torch.tensor([frames.stop - frames.start], device=batch.lengths.device),
            )
        )
    return collate(items)


class UtteranceDataset(Dataset):
    """Utterances of one mixed data directory, indexed by ``(position, epoch)``.

    Args:
        directory: data directory with wav.scp, utt2dur and, as needed, spk1.scp and utt2emo.
        statistics: normalisation of noisy and clean waveforms alike.
        classes: emotion names in the order of the class indices; None leaves labels out.
        clean: read the clean references too.
        states: dumped hidden states; None leaves them out.
        features: dumped features of the encoder's front end, always of whole utterances; None leaves them out.
        audio: read the noisy waveforms; False when the states or the features are all that is needed.
        crop_frames: with states, random crops of so many encoder frames.
        seed: of the crops.

    Raises:
        MeritError: when a table is missing, an emotion is none of ``classes``, an utterance was not dumped, or audio
            cannot be used; the message names the utterance.
    """

    def __init__(
        self,
        directory: Path,
        statistics: WaveformStatistics,
        classes: Sequence[str] | None = None,
        clean: bool = False,
        states: ShardReader | None = None,
        features: ShardReader | None = None,
        audio: bool = True,
        crop_frames: int | None = None,
        seed: int = 0,
    ) -> None:
        directory = Path(directory)
        self.directory = directory
        self.statistics = statistics
        self.noisy = read_table(directory / "wav.scp")
        self.keys = list(self.noisy)
        self.clean = read_table(directory / "spk1.scp") if clean else None
        self.states = states
        self.features = features
        self.audio = audio
        self.crop_frames = crop_frames
        self.seed = seed
        durations = read_durations(directory, self.noisy)
        self.samples = [round(durations[key] * SAMPLE_RATE) for key in self.keys]
        self.labels = None
        if classes is not None:
            emotions = self._column("utt2emo")
            self.labels = [self._class_index(key, emotions[key], classes) for key in self.keys]
        for name, dump in (("states", states), ("features", features)):
            missing = [] if dump is None else sorted(set(self.keys) - set(dump.keys))
            if missing:
                raise MeritError(
                    f"{directory}: {len(missing)} utterances have no dumped {name}, {missing[0]} is the first; "
                    f"delete {dump.directory / HEADER}, and run the dump again (stage 3)"
                )

    def _column(self, name: str) -> dict[str, str]:
        table = read_table(self.directory / name)
        missing = sorted(set(self.keys) - set(table))
        if missing:
            raise MeritError(f"{self.directory / name}: no line for utterance {missing[0]}, which wav.scp has")
        return table

    def _class_index(self, key: str, emotion: str, classes: Sequence[str]) -> int:
        if emotion not in classes:
            raise MeritError(
                f"{self.directory / 'utt2emo'}: utterance {key} has the emotion {emotion!r}; "
                f"expected one of {', '.join(classes)}. Leave it out in data preparation, or add the class"
            )
        return list(classes).index(emotion)

    @property
    def shards(self) -> list[int] | None:
        """The shard of each utterance's states or features, for the batch sampler; None without either."""
        dump = self.features if self.states is None else self.states
        return None if dump is None else [dump.shard_of(key) for key in self.keys]

    def __len__(self) -> int:
        return len(self.keys)

    def _waveform(self, table: dict[str, str], key: str) -> Tensor:
        samples = read_audio(table[key], key)
        if len(samples) < MIN_SAMPLES:
            raise MeritError(
                f"utterance {key} ({table[key]}) has {len(samples)} samples at 16 kHz, less than the {MIN_SAMPLES} "
                "of one encoder frame; remove it from the data directory"
            )
        return torch.from_numpy(np.ascontiguousarray(self.statistics.normalise(samples), dtype=np.float32))

    def __getitem__(self, index: tuple[int, int]) -> Batch:
        position, epoch = index
        key = self.keys[position]
        noisy = self._waveform(self.noisy, key) if self.audio else None
        clean = self._waveform(self.clean, key) if self.clean is not None else None
        if noisy is not None and clean is not None and len(noisy) != len(clean):
            raise MeritError(
                f"utterance {key}: {len(noisy)} noisy and {len(clean)} clean samples; they must be as many. "
                "Run the noise mixing again (stage 2)"
            )
        length = self.samples[position] if noisy is None else len(noisy)
        states = features = frame_lengths = None
        samples = slice(0, length)
        if self.states is not None:
            frames, samples = crop_window(key, epoch, self.seed, self.states.frames(key), length, self.crop_frames)
            states = self.states.read(key, frames.start, frames.stop).unsqueeze(0)
            frame_lengths = torch.tensor([frames.stop - frames.start])
        elif self.features is not None:
            features = self.features.read(key).unsqueeze(0)
            frame_lengths = torch.tensor([features.shape[1]])
        return Batch(
            keys=[key],
            lengths=torch.tensor([samples.stop - samples.start]),
            noisy=None if noisy is None else noisy[samples].unsqueeze(0),
            clean=None if clean is None else clean[samples].unsqueeze(0),
            labels=None if self.labels is None else torch.tensor([self.labels[position]]),
            states=states,
            frame_lengths=frame_lengths,
            features=features,
        )


class CollateMicroBatches:
    """Collate function: the utterances of one optimiser step as micro-batches that fit the memory.

    Args:
        size: utterances computed at once, when ``seconds`` is None.
        seconds: padded audio computed at once; a longer utterance is a micro-batch of its own.
        piece: cut the step into pieces of so many utterances first, so that no micro-batch lies in two of them; None
            leaves it whole.
    """

    def __init__(self, size: int, seconds: float | None = None, piece: int | None = None) -> None:
        self.size = size
        self.total = None if seconds is None else seconds * SAMPLE_RATE
        self.piece = piece

    def __call__(self, items: Sequence[Batch]) -> list[Batch]:
        lengths = [int(item.lengths) for item in items]
        pieces = cut(lengths, len(items) if self.piece is None else self.piece)
        return [collate(items[piece][part]) for piece in pieces for part in cut(lengths[piece], self.size, self.total)]
