"""Noisy speech beside the teacher's states of the clean speech under it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from merit.data.audio import MIN_SAMPLES, read_audio
from merit.data.crops import crop_window
from merit.data.datadir import is_mixed_online, read_durations, read_table
from merit.data.noise.mixing import too_short
from merit.data.noise.online.online_speech import OnlineSpeech
from merit.data.padding import moved, pinned, stack_padded
from merit.data.states.shard_reader import ShardReader
from merit.errors import MeritError
from merit.time_grid import FRAME_SAMPLES, SAMPLE_RATE

LENGTH_STEP = 32
"""Frames by which crops differ in length. On a CPU every other length makes kernels of its own, which takes longer than
computing with them."""


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
        return moved(self, device, left=("lengths", "frame_lengths"))

    def pin_memory(self) -> "Batch":
        """The same batch in page-locked memory (called by the data loader)."""
        return pinned(self)


def collate(items: Sequence[Batch]) -> Batch:
    """Join batches of one utterance into a padded batch."""
    return Batch(
        [key for item in items for key in item.keys],
        torch.cat([item.lengths for item in items]),
        stack_padded([item.noisy[0] for item in items]),
        stack_padded([item.targets[0] for item in items]),
        torch.cat([item.frame_lengths for item in items]),
    )


class Corpus:
    """Noisy speech to learn from, and what the teacher made of the clean speech under it.

    Args:
        directory: data directory of the noisy speech; where it is mixed while it is read, other mixtures in every
            epoch.
        states: dump of the teacher's states of the clean speech, whose normalisation is that of the noisy speech too.

    Raises:
        MeritError: when a table or the dump is missing or damaged, or an utterance was not dumped.
    """

    def __init__(self, directory: Path, states: Path) -> None:
        self.directory = directory
        self.states = ShardReader(states)
        self.online = OnlineSpeech(directory) if is_mixed_online(directory) else None
        self.wav = read_table(directory / "wav.scp")
        durations = read_durations(directory, self.wav)
        self.samples = {key: round(durations[key] * SAMPLE_RATE) for key in self.wav}
        self.states.require_utterances(directory, list(self.wav))

    def noisy(self, key: str, epoch: int) -> np.ndarray:
        """Normalised noisy speech ``(S,)`` of an utterance, float32.

        Raises:
            MeritError: when audio cannot be read, or is shorter than an encoder frame.
        """
        if self.online is None:
            speech = read_audio(self.wav[key], key)
        else:
            speech = self.online.draw(key, epoch).mixture.noisy
        if len(speech) < MIN_SAMPLES:
            raise MeritError(too_short(key, self.wav[key], len(speech)))
        return ((speech - self.states.header["mean"]) / self.states.header["std"]).astype(np.float32)


def find_corpora(directories: Sequence[Path], states: Sequence[Path]) -> list[Corpus]:
    """Pair data directories with their dumps.

    Raises:
        MeritError: when there are not as many of one as of the other, or none, or a corpus cannot be used.
    """
    if len(directories) != len(states) or not directories:
        raise MeritError(f"{len(directories)} data directories and {len(states)} dumps; give one dump for each")
    return [Corpus(directory, dump) for directory, dump in zip(directories, states)]


class Examples(Dataset):
    """Utterances of one or several corpora, indexed by ``(position, epoch)``.

    Args:
        corpora: where they come from.
        layers: numbers of the teacher's states to give.
        frame_lengths: frames that the student has of so many samples (B,); the teacher's last ones may be more.
        crop_frames: random crops of so many frames, of shorter utterances a multiple of ``LENGTH_STEP``; None for whole
            utterances.
        seed: of the crops.
    """

    collate = staticmethod(collate)
    shards = None
    groups = None

    def __init__(
        self,
        corpora: Sequence[Corpus],
        layers: Sequence[int],
        frame_lengths: Callable[[Tensor], Tensor],
        crop_frames: int | None = None,
        seed: int = 0,
    ) -> None:
        self.directory = corpora[0].directory
        self.layers = list(layers)
        self.frame_lengths = frame_lengths
        self.crop_frames = crop_frames
        self.seed = seed
        self.utterances = [(corpus, key) for corpus in corpora for key in corpus.wav]
        self.samples = [corpus.samples[key] for corpus, key in self.utterances]
        if crop_frames is not None:
            frames = (self._cropped(corpus.states.frames(key)) for corpus, key in self.utterances)
            self.samples = [min(whole, kept * FRAME_SAMPLES) for whole, kept in zip(self.samples, frames)]

    def _cropped(self, frames: int) -> int:
        """Frames that are heard of so many."""
        if self.crop_frames is None:
            return frames
        return min(self.crop_frames, frames // LENGTH_STEP * LENGTH_STEP or frames)

    @property
    def seconds(self) -> list[float]:
        """What training hears of each utterance."""
        return [samples / SAMPLE_RATE for samples in self.samples]

    def __len__(self) -> int:
        return len(self.utterances)

    def __getitem__(self, index: tuple[int, int]) -> Batch:
        position, epoch = index
        corpus, key = self.utterances[position]
        noisy = torch.from_numpy(corpus.noisy(key, epoch))
        there = corpus.states.frames(key)
        frames, samples = crop_window(key, epoch, self.seed, there, len(noisy), self._cropped(there))
        heard = noisy[samples].unsqueeze(0)
        lengths = torch.tensor([heard.shape[1]])
        stop = min(frames.stop, frames.start + int(self.frame_lengths(lengths)))
        targets = corpus.states.read(key, frames.start, stop)[:, self.layers].unsqueeze(0)
        return Batch([key], lengths, heard, targets, torch.tensor([targets.shape[1]]))
