"""Scores of decoded texts: error rates of transcripts, BLEU and chrF of translations."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from merit.data.datadir import read_table
from merit.errors import MeritError
from merit.metrics.transcription import character_errors, error_rate, word_errors
from merit.metrics.translation import translation_scores
from merit.systems.smoe.smoe_config import TASKS
from merit.systems.smoe.speech_decoding import read_hypotheses

TASK_MEASURES = {"transcribe": ("wer", "cer"), "translate": ("bleu", "chrf")}
"""Error rates are in percent here, as people write them."""
LOWER_IS_BETTER = ("wer", "cer")
LABELS = {"wer": "WER", "cer": "CER", "bleu": "BLEU", "chrf": "chrF"}


@dataclass(frozen=True)
class TestSet:
    """A set of the test.

    Attributes:
        directory: data directory.
        bandwidth: of its utterances; ``mixed`` where it has both.
        keys: its utterances.
        references: task -> text of each.
    """

    __test__ = False  # for pytest

    directory: Path
    bandwidth: str
    keys: tuple[str, ...]
    references: Mapping[str, tuple[str, ...]]

    @property
    def name(self) -> str:
        """Of its directory."""
        return self.directory.name

    def hypotheses(self, folder: Path, task: str) -> list[str]:
        """The texts that were decoded, in the order of the references.

        Args:
            folder: that has ``<set>/<task>.csv``.
            task: whose they are.

        Raises:
            MeritError: when they are not of these utterances.
        """
        path = folder / self.name / f"{task}.csv"
        found = read_hypotheses(path)
        if found.keys() != {*self.keys}:
            differing = min(found.keys() ^ {*self.keys})
            raise MeritError(
                f"{path}: utterance {differing} is in only one of it and {self.directory}; decode again (stage 6)"
            )
        return [found[key] for key in self.keys]


def read_test_set(directory: Path, languages: Mapping[str, str]) -> TestSet:
    """A data directory with the texts of these tasks.

    Args:
        directory: with utt2bw and text.<language>.
        languages: task -> language.
    """
    bandwidths = read_table(directory / "utt2bw")
    keys = tuple(bandwidths)
    kinds = {*bandwidths.values()}
    texts = {task: read_table(directory / f"text.{language}") for task, language in languages.items()}
    for task, table in texts.items():
        if missing := sorted({*keys} - table.keys()):
            raise MeritError(f"{directory}/text.{languages[task]}: no line for utterance {missing[0]} of utt2bw")
    references = {task: tuple(table[key] for key in keys) for task, table in texts.items()}
    return TestSet(directory, kinds.pop() if len(kinds) == 1 else "mixed", keys, references)


def task_scores(task: str, references: Sequence[str], hypotheses: Sequence[str]) -> dict[str, float]:
    """The measures of a task: error rates in percent, or BLEU and chrF."""
    if task == "transcribe":
        counts = {"wer": word_errors(references, hypotheses), "cer": character_errors(references, hypotheses)}
        return {measure: 100 * error_rate(found) for measure, found in counts.items()}
    return {measure: score.value for measure, score in translation_scores([references], hypotheses).items()}


def scores_of(test: TestSet, folder: Path) -> dict[str, float]:
    """All measures of what was decoded of a set; of those tasks that it has references of."""
    return {
        measure: value
        for task in TASKS
        if task in test.references
        for measure, value in task_scores(task, test.references[task], test.hypotheses(folder, task)).items()
    }


def cost_of(test: TestSet, folder: Path) -> dict[str, float]:
    """Real-time factor of each task and the largest memory (GB) of the decoding."""
    found = {}
    for task in test.references:
        described = json.loads((folder / test.name / f"{task}.json").read_text())
        found[f"rtf_{task}"] = described["seconds"] / described["audio_seconds"]
        for name in ("peak_memory_gb", "gpu_memory_gb"):
            if name in described:
                found[name] = max(found.get(name, 0.0), described[name])
    return found


def signatures(test: TestSet, folder: Path) -> list[str]:
    """What sacrebleu says of how it scored; none where nothing is translated."""
    if "translate" not in test.references:
        return []
    found = translation_scores([test.references["translate"]], test.hypotheses(folder, "translate"))
    return [f"{LABELS[measure]}: {score.signature}" for measure, score in found.items()]
