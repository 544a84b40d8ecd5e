"""Noisy speech beside the teacher's states of the clean speech under it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset

from merit.data.audio import MIN_SAMPLES, read_audio
from merit.data.crops import crop_window
from merit.data.datadir import read_durations, read_table
from merit.data.noise.online.mixer import OnlineMixing, draw_mixture
from merit.data.states.shard_reader import ShardReader
from merit.errors import MeritError
from merit.time_grid import FRAME_SAMPLES, SAMPLE_RATE


@dataclass
class Batch:
    """A padded batch.

    Attributes:
        keys: names of the utterances.
        lengths: (B,) samples.
        noisy: (B, S) waveforms at 16 kHz, normalised as the teacher's were.
        targets: (B, T, L, E) the teacher's states that are to be predicted.
        frame_lengths: (B,) frames of the targets.
    """

    keys: list[str]
    lengths: Tensor
    noisy: Tensor
    targets: Tensor
    frame_lengths: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch with waveforms and targets on ``device``; lengths stay where they are."""
        moved = (value.to(device, non_blocking=True) for value in (self.noisy, self.targets))
        return replace(self, **dict(zip(("noisy", "targets"), moved)))


def collate(items: Sequence[Batch]) -> Batch:
    """Join batches of one utterance into a padded batch."""
    return Batch(
        [key for item in items for key in item.keys],
        torch.cat([item.lengths for item in items]),
        pad_sequence([item.noisy[0] for item in items], batch_first=True),
        pad_sequence([item.targets[0] for item in items], batch_first=True),
        torch.cat([item.frame_lengths for item in items]),
    )


@dataclass(frozen=True)
class Corpus:
    """Speech to learn from.

    Attributes:
        directory: data directory of the clean speech.
        states: what the teacher made of it; its waveform statistics normalise the noisy speech too.
        mixing: what is drawn for the student.
    """

    directory: Path
    states: ShardReader
    mixing: OnlineMixing


class Examples(Dataset):
    """Utterances of one or several corpora, indexed by ``(position, epoch)``.

    Args:
        corpora: where they come from; every utterance must have been dumped.
        layers: numbers of the teacher's states to give.
        frame_lengths: frames that the student has of so many samples (B,); the teacher's last ones may be more.
        crop_frames: random crops of so many frames; None for whole utterances.
        epoch: draw the mixtures and crops of this epoch in all; None draws anew in each.
        seed: of the crops.

    Raises:
        MeritError: when a table is missing, an utterance was not dumped, or audio cannot be used.
    """

    collate = staticmethod(collate)
    shards = None

    def __init__(
        self,
        corpora: Sequence[Corpus],
        layers: Sequence[int],
        frame_lengths: Callable[[Tensor], Tensor],
        crop_frames: int | None = None,
        epoch: int | None = None,
        seed: int = 0,
    ) -> None:
        self.directory = corpora[0].directory
        self.layers = list(layers)
        self.frame_lengths = frame_lengths
        self.crop_frames = crop_frames
        self.epoch = epoch
        self.seed = seed
        self.utterances: list[tuple[Corpus, str, str, str]] = []
        self.samples: list[int] = []
        for corpus in corpora:
            wav, speakers = read_table(corpus.directory / "wav.scp"), read_table(corpus.directory / "utt2spk")
            durations = read_durations(corpus.directory, wav)
            if missing := sorted(set(wav) - set(corpus.states.keys)):
                raise MeritError(f"{corpus.directory}: utterance {missing[0]} is not in {corpus.states.directory}")
            self.utterances += [(corpus, key, entry, speakers[key]) for key, entry in wav.items()]
            self.samples += [self._heard(round(durations[key] * SAMPLE_RATE)) for key in wav]

    def _heard(self, samples: int) -> int:
        return samples if self.crop_frames is None else min(samples, self.crop_frames * FRAME_SAMPLES)

    @property
    def seconds(self) -> list[float]:
        """What training hears of each utterance."""
        return [samples / SAMPLE_RATE for samples in self.samples]

    def __len__(self) -> int:
        return len(self.utterances)

    def __getitem__(self, index: tuple[int, int]) -> Batch:
        position, epoch = index
        epoch = epoch if self.epoch is None else self.epoch
        corpus, key, entry, speaker = self.utterances[position]
        speech = read_audio(entry, key)
        if len(speech) < MIN_SAMPLES:
            raise MeritError(f"utterance {key} ({entry}) has {len(speech)} samples at 16 kHz, less than {MIN_SAMPLES}")
        frames, samples = crop_window(key, epoch, self.seed, corpus.states.frames(key), len(speech), self.crop_frames)
        # What is left out is not mixed: a crop's SNR is that of what is heard.
        noisy = draw_mixture(corpus.mixing, key, speaker, speech[samples], epoch).mixture.noisy
        header = corpus.states.header
        normalised = ((noisy - header["mean"]) / header["std"]).astype(np.float32)
        lengths = torch.tensor([len(normalised)])
        stop = min(frames.stop, frames.start + int(self.frame_lengths(lengths)))
        targets = corpus.states.read(key, frames.start, stop)[:, self.layers].unsqueeze(0)
        return Batch(
            [key], lengths, torch.from_numpy(normalised).unsqueeze(0), targets, torch.tensor([targets.shape[1]])
        )
