"""Texts of the utterances of a data directory, by the experts and tags of their labels or by others."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import torch

from merit.csv_table import read_csv
from merit.data.audio import read_audio
from merit.data.batching import length_batches
from merit.data.datadir import BANDWIDTHS, read_bandwidths, read_durations, read_table
from merit.data.padding import stack_padded
from merit.device import Precision, autocast, precision_of_use, usable_device
from merit.errors import MeritError
from merit.files import csv_text, write_text
from merit.memory import peak_memory
from merit.progress import progress
from merit.systems.smoe.beam_search import USUAL_SEARCH, BeamOptions, Hypothesis, beam_search
from merit.systems.smoe.log_mel_features import frames_of, log_mel
from merit.systems.smoe.smoe_config import TASKS
from merit.systems.smoe.smoe_description import load_model
from merit.systems.smoe.speech_to_text_model import SpeechToText
from merit.systems.smoe.vocabulary import Vocabulary
from merit.time_grid import SAMPLE_RATE

logger = logging.getLogger(__name__)

Task = Literal["transcribe", "translate"]
Way = Literal["given", "other_bandwidth", "other_expert", "other_tag"]
"""How a decoding goes against its labels: not at all; the encoder's experts of the other bandwidth; the decoder's
experts of the other task with the right tag; the tags of the other task, and its experts, for the text of this one."""

COLUMNS = ("utterance", "hypothesis", "score")


@dataclass
class Recogniser:
    """A trained model with all that decoding needs.

    Attributes:
        model: on its device, in evaluation mode.
        vocabulary: of its texts.
        languages: task -> language of its texts.
        device: where it computes.
        precision: in which.
        options: of the search.
    """

    model: SpeechToText
    vocabulary: Vocabulary
    languages: Mapping[str, str]
    device: torch.device
    precision: Precision
    options: BeamOptions

    @classmethod
    def load(
        cls, directory: Path, device: str | torch.device | None, precision: Precision, options: BeamOptions
    ) -> "Recogniser":
        """The model in a directory.

        Raises:
            MeritError: when it holds none, or the device cannot be used.
        """
        model, description, vocabulary = load_model(directory)
        place = usable_device(device)
        used = precision_of_use(precision, description.precision, place)
        return cls(model.to(place), vocabulary, description.languages, place, used, options)

    def require_task(self, task: str) -> None:
        """Refuse a task that the model has not learnt.

        Raises:
            MeritError: names those that it has.
        """
        if task not in self.languages:
            raise MeritError(f"this model cannot {task}; it has learnt to {' and to '.join(self.languages)}")

    @torch.inference_mode()
    def texts(
        self, features: Sequence[torch.Tensor], bandwidths: Sequence[int], task: str, expert: int | None = None
    ) -> list[Hypothesis]:
        """The best text of each utterance.

        Args:
            features: (T, F) of each.
            bandwidths: number of the bandwidth of each.
            task: which is asked for by its tags.
            expert: of the decoder; None is that of the task.

        Raises:
            MeritError: when the model has not learnt the task, or an utterance is longer than it takes.
        """
        self.require_task(task)
        number = TASKS.index(task)
        # Utterances of one bandwidth side by side: the experts take the batch apart by slices.
        order = sorted(range(len(features)), key=bandwidths.__getitem__)
        lengths = torch.tensor([len(features[place]) for place in order])
        batch = stack_padded([features[place] for place in order]).to(self.device)
        prefix = self.vocabulary.prefix(number, self.languages[task])
        with autocast(self.precision, self.device):
            memory = self.model.speech(batch, lengths, [bandwidths[place] for place in order])
            chosen = number if expert is None else expert
            found = beam_search(self.model.text, memory, prefix, chosen, self.vocabulary.not_in_texts, self.options)
        return [hypotheses[0] for _, hypotheses in sorted(zip(order, found), key=lambda pair: pair[0])]


class Decoded(NamedTuple):
    """What a decoding came to.

    Attributes:
        texts: utterance -> text.
        audio_seconds: of the utterances.
        seconds: from their audio files to their texts.
        memory: the most so far, :func:`merit.memory.peak_memory`.
    """

    texts: dict[str, str]
    audio_seconds: float
    seconds: float
    memory: dict[str, float]


def decode_utterances(
    recogniser: Recogniser, data: Path, task: str, batch_seconds: float, way: Way = "given"
) -> tuple[Decoded, dict[str, float]]:
    """The texts of all utterances of a data directory, and their scores.

    Args:
        recogniser: the model.
        data: data directory with wav.scp and utt2bw.
        task: whose text is wanted.
        batch_seconds: padded audio computed at once.
        way: whose experts and tags are used.

    Raises:
        MeritError: before anything is computed, when a table is wrong or an utterance is longer than the model takes;
            when one cannot be read.
    """
    wav = read_table(data / "wav.scp")
    seconds = read_durations(data, wav)
    config = recogniser.model.config
    for key in wav:
        if frames_of(round(seconds[key] * SAMPLE_RATE)) > config.max_frames:
            raise MeritError(
                f"{data}: utterance {key} of {seconds[key]:.2f} s is longer than the model takes, "
                f"{config.max_frames / 100:g} s; cut it at its pauses or leave it out"
            )
    bandwidths = {key: BANDWIDTHS.index(found) for key, found in read_bandwidths(data, wav).items()}
    asked, expert = task, None
    if way == "other_bandwidth":
        bandwidths = {key: 1 - bandwidth for key, bandwidth in bandwidths.items()}
    elif way == "other_expert":
        expert = 1 - TASKS.index(task)
    elif way == "other_tag":
        asked = TASKS[1 - TASKS.index(task)]
    recogniser.require_task(asked)
    texts, scores = {}, {}
    began = time.perf_counter()
    with progress(sum(seconds.values()), f"{data.name} {task}", " audio-s", unit_scale=True) as bar:
        for keys in length_batches(seconds, batch_seconds):
            features = [log_mel(read_audio(wav[key], key), key, config.mel_bins) for key in keys]
            found = recogniser.texts(features, [bandwidths[key] for key in keys], asked, expert)
            for key, hypothesis in zip(keys, found):
                texts[key], scores[key] = recogniser.vocabulary.decode(hypothesis.tokens), hypothesis.score
            bar.update(sum(seconds[key] for key in keys))
    spent = time.perf_counter() - began
    return Decoded(texts, sum(seconds.values()), spent, peak_memory(recogniser.device)), scores


def decode_directory(
    recogniser: Recogniser, data: Path, task: str, output: Path, batch_seconds: float, way: Way = "given"
) -> None:
    """Write what :func:`decode_utterances` gives: ``<task>.csv`` and, last, ``<task>.json`` with time and memory.

    Args:
        recogniser, data, task, batch_seconds, way: as there.
        output: folder of the two.
    """
    decoded, scores = decode_utterances(recogniser, data, task, batch_seconds, way)
    rows = ([key, decoded.texts[key], f"{scores[key]:.4f}"] for key in sorted(decoded.texts))
    write_text(output / f"{task}.csv", csv_text(COLUMNS, rows))
    described = {
        "data": str(data),
        "way": way,
        "search": asdict(recogniser.options),
        "audio_seconds": decoded.audio_seconds,
        "seconds": decoded.seconds,
        "threads": torch.get_num_threads(),
        "device": str(recogniser.device),
        **decoded.memory,
    }
    write_text(output / f"{task}.json", json.dumps(described, indent=2) + "\n")
    speed = decoded.seconds / decoded.audio_seconds
    logger.info("%s, %s: %d texts, real-time factor %.3f", output, task, len(decoded.texts), speed)


def decode_directories(
    model: Path,
    data: list[Path],
    output: Path,
    tasks: list[Task] | None = None,
    way: Way = "given",
    search: BeamOptions = USUAL_SEARCH,
    batch_seconds: float = 100.0,
    device: str = "auto",
    precision: Precision = "auto",
) -> None:
    """Write <output>/<set>/<task>.csv, the text of each utterance, and <task>.json with time and memory.

    Args:
        model: directory of the trained model.
        data: data directories with wav.scp and utt2bw.
        output: folder of what is written.
        tasks: those to decode; without them all that the model has learnt.
        way: "given" decodes by the labels; "other_bandwidth" by the encoder's experts of the other bandwidth;
            "other_expert" by the decoder's experts of the other task, with the right tags; "other_tag" by the tags and
            experts of the other task.
        search: how texts are searched.
        batch_seconds: padded audio computed at once.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        precision: auto is that of the training.

    Raises:
        MeritError: when the directory holds no model, it has not learnt a task, or an utterance cannot be decoded; sets
            that are done by then are kept.
    """
    recogniser = Recogniser.load(model, device, precision, search)
    for directory in data:
        for task in tasks or recogniser.languages:
            decode_directory(recogniser, directory, task, output / directory.name, batch_seconds, way)


def read_hypotheses(path: Path) -> dict[str, str]:
    """Utterance -> text, of a table that :func:`decode_directory` wrote.

    Raises:
        MeritError: when it is missing or damaged.
    """
    return {row["utterance"]: row["hypothesis"] for _, row in read_csv(path, COLUMNS, "decode first (stage 6)")}
