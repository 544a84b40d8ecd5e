"""Rated clips of a data directory as examples."""

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.data import Dataset

from merit.data.datadir import read_durations, read_table
from merit.data.rated.ratings import RATINGS, clips_of, read_ratings
from merit.data.states.shard_reader import ShardReader
from merit.data.statistics import WaveformStatistics, normalised_waveform
from merit.errors import MeritError
from merit.systems.moe_mos.clip_batch import MosBatch, collate
from merit.time_grid import SAMPLE_RATE


class ClipDataset(Dataset):
    """Clips of one data directory, indexed by ``(position, epoch)``.

    Args:
        directory: data directory with wav.scp, ratings.csv and, to save reading headers, utt2dur.
        classes: generating systems in the order of the class indices; clips of others are in no class.
        statistics: normalisation of the waveforms; None where states are given.
        states: dumped hidden states, of these clips and perhaps others; None reads the audio.
        listeners: those with an embedding, in the order of their numbers from 1 on. Every epoch a clip then comes with
            the mean of its ratings or with the rating of one of them, each half of the time; empty: always the mean.
        seed: of these draws.
        rated_only: leave out clips without a rating.

    Raises:
        MeritError: when a table is missing or wrong, or a clip was not dumped; the message names the clip.
    """

    collate = staticmethod(collate)
    groups = None

    def __init__(
        self,
        directory: Path,
        classes: Sequence[str],
        statistics: WaveformStatistics | None = None,
        states: ShardReader | None = None,
        listeners: Sequence[str] = (),
        seed: int = 0,
        rated_only: bool = False,
    ) -> None:
        self.directory = Path(directory)
        self.statistics = statistics
        self.states = states
        self.listeners = {name: number for number, name in enumerate(listeners, start=1)}
        self.seed = seed
        self.wav = read_table(self.directory / "wav.scp")
        self.clips = clips_of(read_ratings(self.directory / RATINGS))
        if differing := sorted(self.wav.keys() ^ self.clips.keys()):
            raise MeritError(
                f"{self.directory}: clip {differing[0]} is in only one of wav.scp and {RATINGS}; make the directory "
                "again (stage 1)"
            )
        self.keys = [key for key in self.wav if self.clips[key].scores or not rated_only]
        durations = read_durations(self.directory, self.wav)
        self.samples = [round(durations[key] * SAMPLE_RATE) for key in self.keys]
        self.seconds = [samples / SAMPLE_RATE for samples in self.samples]
        self.mos = torch.tensor([self.clips[key].mean for key in self.keys], dtype=torch.float32)
        numbers = {system: number for number, system in enumerate(classes)}
        self.systems = torch.tensor([numbers.get(self.clips[key].system_id, -1) for key in self.keys])
        if states is not None:
            states.require_utterances(self.directory, self.keys)

    @property
    def shards(self) -> list[int] | None:
        """The shard of each clip's states, for the batch sampler; None without a dump."""
        return None if self.states is None else [self.states.shard_of(key) for key in self.keys]

    def __len__(self) -> int:
        return len(self.keys)

    def _asked(self, key: str, epoch: int) -> tuple[int, float]:
        """Number and score of the listener who is heard about a clip in an epoch: a function of the arguments alone."""
        clip = self.clips[key]
        known = [
            (self.listeners[name], score) for name, score in zip(clip.listeners, clip.scores) if name in self.listeners
        ]
        draw = random.Random(f"{self.seed}/{epoch}/{key}")
        if not known or draw.random() < 0.5:
            return 0, clip.mean
        return draw.choice(known)

    def __getitem__(self, index: tuple[int, int]) -> MosBatch:
        position, epoch = index
        key = self.keys[position]
        here = slice(position, position + 1)
        common = {"positions": torch.tensor([position]), "mos": self.mos[here], "systems": self.systems[here]}
        if self.listeners:
            number, score = self._asked(key, epoch)
            common |= {"listeners": torch.tensor([number]), "mos": torch.tensor([score], dtype=torch.float32)}
        if self.states is None:
            waveform = torch.from_numpy(normalised_waveform(self.wav[key], key, self.statistics))
            return MosBatch([key], torch.tensor([len(waveform)]), waveform=waveform.unsqueeze(0), **common)
        states = self.states.read(key).unsqueeze(0)
        lengths, frames = torch.tensor([self.samples[position]]), torch.tensor([states.shape[1]])
        return MosBatch([key], lengths, states=states, frame_lengths=frames, **common)


def systems_in(directory: Path) -> list[str]:
    """The generating systems of a data directory, sorted: the classes of a model that is trained on it."""
    return sorted({clip.system_id for clip in clips_of(read_ratings(Path(directory) / RATINGS)).values()})


def listeners_in(directory: Path) -> list[str]:
    """The listeners of a data directory, sorted: those whom a model that is trained on it can learn.

    Raises:
        MeritError: when its ratings are means over listeners who were not kept.
    """
    path = Path(directory) / RATINGS
    found = sorted({rating.listener_id for rating in read_ratings(path) if rating.listener_id})
    if not found:
        raise MeritError(f"{path}: no rating has a listener; model.rater_embedding needs them, set it to false")
    return found
