"""Utterances of a mixed data directory, or of one that is mixed while it is read, as training examples."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from merit.data.crops import crop_window
from merit.data.datadir import is_mixed_online, read_durations, read_table
from merit.data.noise.online.online_speech import OnlineSpeech
from merit.data.states.shard_reader import ShardReader
from merit.data.statistics import WaveformStatistics, normalised_waveform
from merit.errors import MeritError
from merit.systems.sparse_merit.phases.batch import Batch, collate
from merit.time_grid import FRAME_SAMPLES, SAMPLE_RATE


class UtteranceDataset(Dataset):
    """Utterances of one mixed data directory, indexed by ``(position, epoch)``.

    Where the directory is mixed while it is read, the epoch says which mixture is heard.

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
        MeritError: when a table is missing, an emotion is none of ``classes``, an utterance was not dumped, a dump
            is given of mixtures that are drawn anew, or audio cannot be used; the message names the utterance.
    """

    collate = staticmethod(collate)
    groups = None

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
        self.online = OnlineSpeech(directory) if is_mixed_online(directory) else None
        if self.online is not None and (states is not None or features is not None):
            raise MeritError(f"{directory}: mixed anew in every epoch, so no dump holds what is heard; give none of it")
        self.clean = read_table(directory / "spk1.scp") if clean and self.online is None else None
        self.has_clean = clean
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
        for dump in (states, features):
            if dump is not None:
                dump.require_utterances(directory, self.keys)

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

    @property
    def seconds(self) -> list[float]:
        """What training hears of each utterance: all of it, or a crop."""
        longest = math.inf if self.crop_frames is None else self.crop_frames * FRAME_SAMPLES
        return [min(samples, longest) / SAMPLE_RATE for samples in self.samples]

    def __len__(self) -> int:
        return len(self.keys)

    def _waveform(self, table: dict[str, str], key: str) -> Tensor:
        return torch.from_numpy(normalised_waveform(table[key], key, self.statistics))

    def _normalised(self, samples: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(self.statistics.normalise(samples), dtype=np.float32))

    def _stored(self, key: str) -> tuple[Tensor | None, Tensor | None]:
        noisy = self._waveform(self.noisy, key) if self.audio else None
        clean = self._waveform(self.clean, key) if self.clean is not None else None
        if noisy is not None and clean is not None and len(noisy) != len(clean):
            raise MeritError(
                f"utterance {key}: {len(noisy)} noisy and {len(clean)} clean samples; they must be as many. "
                "Run the noise mixing again (stage 2)"
            )
        return noisy, clean

    def _drawn(self, key: str, epoch: int) -> tuple[Tensor, Tensor | None]:
        mixture = self.online.draw(key, epoch).mixture
        return self._normalised(mixture.noisy), self._normalised(mixture.clean) if self.has_clean else None

    def __getitem__(self, index: tuple[int, int]) -> Batch:
        position, epoch = index
        key = self.keys[position]
        noisy, clean = self._stored(key) if self.online is None else self._drawn(key, epoch)
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
