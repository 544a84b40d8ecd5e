"""Utterances of data directories with their texts, once for each task, as examples."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from merit.data.audio import read_audio
from merit.data.datadir import BANDWIDTHS, read_bandwidths, read_durations, read_table
from merit.data.states.shard_reader import OPEN_SHARDS, ShardReader
from merit.errors import MeritError
from merit.systems.smoe.log_mel_features import frames_of, log_mel, spec_augmented
from merit.systems.smoe.smoe_config import TASKS, SmoeModelConfig
from merit.systems.smoe.speech_batch import UNSCORED, SpeechBatch, collate
from merit.systems.smoe.vocabulary import END, Vocabulary
from merit.time_grid import SAMPLE_RATE


@dataclass(frozen=True)
class Labels:
    """What of the labels of a training set is wrong, and SpecAugment; all follows from the seed and the utterance.

    Attributes:
        seed: of what is drawn.
        augment: mask bins and frames of the features, anew in every epoch.
        corrupt_bandwidth: share of utterances whose bandwidth is taken for the other one.
        corrupt_task: share of texts that stand under the tags of the other task.
    """

    seed: int = 0
    augment: bool = False
    corrupt_bandwidth: float = 0.0
    corrupt_task: float = 0.0

    def bandwidth(self, key: str, bandwidth: int) -> int:
        """The bandwidth that an utterance is taken for."""
        return 1 - bandwidth if self._drawn("bandwidth", key) < self.corrupt_bandwidth else bandwidth

    def task(self, key: str, task: int) -> int:
        """The task whose tags the text of a task stands under."""
        return 1 - task if self._drawn(f"task {task}", key) < self.corrupt_task else task

    def augmented(self, features: Tensor, key: str, epoch: int) -> Tensor:
        """The features (T, F) as they are heard in an epoch."""
        return spec_augmented(features, random.Random(f"{self.seed}/{epoch}/{key}")) if self.augment else features

    def _drawn(self, what: str, key: str) -> float:
        return random.Random(f"{self.seed}/{what}/{key}").random()


def read_texts(directory: Path, language: str, keys: Sequence[str]) -> dict[str, str]:
    """The text of each utterance in a language, from ``text.<language>``.

    Raises:
        MeritError: when it lacks one; an empty text counts as none.
    """
    path = Path(directory) / f"text.{language}"
    table = read_table(path)
    for key in keys:
        if key not in table:
            raise MeritError(f"{path}: no line for utterance {key}, which wav.scp has; leave it out or add its text")
    return table


class SpeechDataset(Dataset):
    """All utterances of some data directories for each task, indexed by ``(position, epoch)``.

    The utterances of the first task come first, those of the second one after them.

    Args:
        directories: data directories with wav.scp, utt2bw, text.<language> and, to save reading headers, utt2dur.
        vocabulary: of the texts.
        languages: task -> language of its text; of the tasks that are wanted.
        config: what the model takes.
        readers: dumped features of each directory; None reads the audio.
        labels: what is drawn.

    Raises:
        MeritError: when a table is missing or wrong, an utterance is not dumped, or one or its text is longer than the
            model takes; the message names the utterance.
    """

    collate = staticmethod(collate)

    def __init__(
        self,
        directories: Sequence[Path],
        vocabulary: Vocabulary,
        languages: Mapping[str, str],
        config: SmoeModelConfig,
        readers: Sequence[ShardReader] | None = None,
        labels: Labels = Labels(),
    ) -> None:
        self.directory = Path(directories[0])
        self.config = config
        self.labels = labels
        self.readers = readers
        self.keys: list[str] = []
        self.wav: dict[str, str] = {}
        self.bandwidths: list[int] = []
        self._place: list[int] = []  # number of the directory
        seconds: dict[str, float] = {}
        self.tokens: dict[int, list[list[int]]] = {TASKS.index(task): [] for task in languages}
        self.prefixes = {TASKS.index(task): vocabulary.prefix(TASKS.index(task), languages[task]) for task in languages}
        for place, directory in enumerate(map(Path, directories)):
            wav = read_table(directory / "wav.scp")
            if twice := sorted(wav.keys() & self.wav.keys()):
                raise MeritError(f"{directory}: utterance {twice[0]} is in another data directory too; rename it")
            keys = list(wav)
            if readers is not None:
                readers[place].require_utterances(directory, keys)
            self.wav |= wav
            self.keys += keys
            self._place += [place] * len(keys)
            self.bandwidths += map(BANDWIDTHS.index, read_bandwidths(directory, keys).values())
            seconds |= read_durations(directory, wav)
            for task, language in languages.items():
                texts = read_texts(directory, language, keys)
                encoded = [vocabulary.encode(texts[key]) for key in keys]
                self._require_short(directory / f"text.{language}", keys, encoded)
                self.tokens[TASKS.index(task)] += encoded
        self.utterance_samples = [round(seconds[key] * SAMPLE_RATE) for key in self.keys]
        for key, samples in zip(self.keys, self.utterance_samples):
            if frames_of(samples) > config.max_frames:
                raise MeritError(
                    f"{self.directory}: utterance {key} of {samples / SAMPLE_RATE:.2f} s is longer than the model "
                    f"takes, {config.max_frames / 100:g} s; leave it out, or raise model.max_frames"
                )
        self.tasks = sorted(self.tokens)

    def _require_short(self, path: Path, keys: Sequence[str], encoded: Sequence[Sequence[int]]) -> None:
        room = self.config.max_tokens - 4  # start, two tags, end
        for key, tokens in zip(keys, encoded):
            if not 0 < len(tokens) <= room:
                raise MeritError(
                    f"{path}: the text of utterance {key} has {len(tokens)} tokens; expected 1 to {room}. Leave it "
                    "out, or raise model.max_tokens"
                )

    def __len__(self) -> int:
        return len(self.tasks) * len(self.keys)

    def _example(self, position: int) -> tuple[int, int]:
        """Task and place of the utterance."""
        task, place = divmod(position, len(self.keys))
        return self.tasks[task], place

    @property
    def samples(self) -> list[int]:
        """Length of each example."""
        return self.utterance_samples * len(self.tasks)

    @property
    def seconds(self) -> list[float]:
        """What training hears of each example."""
        return [samples / SAMPLE_RATE for samples in self.samples]

    @property
    def groups(self) -> list[int]:
        """The task of each example, as its label says; a batch is of one task."""
        examples = map(self._example, range(len(self)))
        return [self.labels.task(self.keys[place], task) for task, place in examples]

    @property
    def shards(self) -> list[int] | None:
        """The shard of each example's features, where there are more than a reader keeps open."""
        if self.readers is None:
            return None
        pairs = [(place, self.readers[place].shard_of(key)) for place, key in zip(self._place, self.keys)]
        numbers = {pair: number for number, pair in enumerate(sorted(set(pairs)))}
        return [numbers[pair] for pair in pairs] * len(self.tasks) if len(numbers) > OPEN_SHARDS else None

    def features(self, place: int) -> Tensor:
        """Log-mel frames (T, F) of an utterance."""
        key = self.keys[place]
        if self.readers is None:
            return log_mel(read_audio(self.wav[key], key), key, self.config.mel_bins)
        return self.readers[self._place[place]].read(key).float()

    def __getitem__(self, index: tuple[int, int]) -> SpeechBatch:
        position, epoch = index
        task, place = self._example(position)
        key = self.keys[place]
        features = self.labels.augmented(self.features(place), f"{key}/{task}", epoch)
        label = self.labels.task(key, task)
        prefix = self.prefixes[label]
        text = self.tokens[task][place]
        tokens = torch.tensor([[*prefix, *text]])
        targets = torch.tensor([[*[UNSCORED] * (len(prefix) - 1), *text, END]])
        batch = SpeechBatch(
            keys=[key],
            lengths=torch.tensor([self.utterance_samples[place]]),
            features=features.unsqueeze(0),
            frames=torch.tensor([len(features)]),
            bandwidths=[self.labels.bandwidth(key, self.bandwidths[place])],
            task=label,
            tokens=tokens,
            token_mask=torch.ones_like(tokens, dtype=torch.bool),
            targets=targets,
        )
        if self.config.ctc and 0 in self.tokens:
            batch.transcripts = torch.tensor([self.tokens[0][place]])
            batch.transcript_lengths = torch.tensor([len(self.tokens[0][place])])
        return batch
