"""Utterances for a report to be listened to: those that a model got most wrong in every condition."""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import soundfile

from merit.data.audio import read_audio, to_16_bits
from merit.data.datadir import read_table
from merit.data.noise.mixed_names import NoiseCondition
from merit.errors import MeritError
from merit.metrics.enhancement.score_sheet import read_enhancement_table
from merit.metrics.label_table import LabelTable, read_label_table
from merit.systems.sparse_merit.results.experiment import Experiment, FinishedRun
from merit.systems.sparse_merit.results.run_files import DECODED, EMOTION_TABLE, ENHANCED, ENHANCEMENT_TABLE
from merit.time_grid import SAMPLE_RATE


@dataclass(frozen=True)
class Recognised:
    """The emotion of an utterance.

    Attributes:
        reference, hypothesis: true and recognised emotion.
        probability: of the recognised emotion; NaN where the model gave none.
        margin: probability of the most probable wrong emotion minus that of the true one: above 0 the model is wrong,
            and the more certain of it the nearer to 1.
    """

    reference: str
    hypothesis: str
    probability: float
    margin: float


@dataclass(frozen=True, eq=False)
class Example:
    """One utterance of one condition.

    Attributes:
        run: whose model.
        condition: where.
        utterance: its name.
        emotion: None for a model without an emotion head.
        scores: measure -> its value before and after the enhancement.
        entries: ``noisy``, ``enhanced`` and ``clean`` -> entry of a ``wav.scp``.
    """

    run: FinishedRun
    condition: NoiseCondition
    utterance: str
    emotion: Recognised | None
    scores: Mapping[str, tuple[float, float]]
    entries: Mapping[str, str]

    @property
    def gain(self) -> float:
        """By how much the enhancement raised the segmental SNR, in dB; infinite where it is undefined."""
        before, after = self.scores["SSNR"]
        return math.inf if math.isnan(after - before) else after - before


def enhancing_runs(runs: Iterable[FinishedRun]) -> dict[str, FinishedRun]:
    """Method -> the first of its runs that left enhanced audio."""
    found: dict[str, FinishedRun] = {}
    for run in runs:
        if any(run.directory.glob(f"{DECODED}/*/{ENHANCED}")):
            found.setdefault(run.method, run)
    return found


def worst_examples(experiment: Experiment, run: FinishedRun, count: int) -> tuple[list[Example], list[Example]]:
    """The utterances of every condition with the most certain wrong emotion and with the least gain in segmental SNR.

    Args:
        experiment: its conditions with noise are looked at.
        run: a model with an enhancement head, decoded and scored.
        count: examples a condition; the kinds take turns, emotion first, and an utterance is taken once.

    Returns:
        examples of wrong emotions and of weak enhancement, condition by condition, worst first in each.

    Raises:
        MeritError: when scores or audio of a condition are missing.
    """
    emotion: list[Example] = []
    enhancement: list[Example] = []
    for condition in experiment.mixed_conditions:
        found = _examples(experiment, run, condition)
        by_emotion = sorted((e for e in found if e.emotion), key=lambda e: (-e.emotion.margin, e.utterance))
        by_gain = sorted(found, key=lambda e: (e.gain, e.utterance))
        turns = [pair for both in zip_longest(by_emotion, by_gain) for pair in zip(both, (emotion, enhancement))]
        taken: set[str] = set()
        for example, kind in turns:
            if example is not None and len(taken) < count and example.utterance not in taken:
                taken.add(example.utterance)
                kind.append(example)
    return emotion, enhancement


def _examples(experiment: Experiment, run: FinishedRun, condition: NoiseCondition) -> list[Example]:
    """All utterances of a condition."""
    data = experiment.data / condition.name
    tables = {
        "noisy": read_table(data / "wav.scp"),
        "enhanced": read_table(run.decoded(condition) / ENHANCED),
        "clean": read_table(data / "spk1.scp"),
    }
    before = read_enhancement_table(experiment.noisy / condition.name / ENHANCEMENT_TABLE)
    after = read_enhancement_table(run.score(condition) / ENHANCEMENT_TABLE)
    path = run.score(condition) / EMOTION_TABLE
    recognised = read_label_table(path) if path.exists() else None
    for table in (*tables.values(), before, *([recognised.reference] if recognised else [])):
        if missing := sorted(after.keys() - table.keys()):
            raise MeritError(
                f"{run.score(condition)}: scores of {missing[0]}, which {data} or {run.decoded(condition)} does not "
                "have; decode and score the condition again (stage 6)"
            )
    return [
        Example(
            run,
            condition,
            utterance,
            _recognised(recognised, utterance) if recognised else None,
            {measure: (before[utterance][measure], after[utterance][measure]) for measure in ("SSNR", "PESQ")},
            {name: table[utterance] for name, table in tables.items()},
        )
        for utterance in after
    ]


def _recognised(table: LabelTable, utterance: str) -> Recognised:
    reference, hypothesis = table.reference[utterance], table.hypothesis[utterance]
    if utterance not in table.posteriors:
        return Recognised(reference, hypothesis, math.nan, float(reference != hypothesis))
    probabilities = dict(zip(table.classes, table.posteriors[utterance]))
    wrong = max(value for name, value in probabilities.items() if name != reference)
    return Recognised(reference, hypothesis, probabilities[hypothesis], wrong - probabilities[reference])


def flac(entry: str, utterance: str) -> tuple[bytes, float]:
    """An entry of a ``wav.scp`` as a FLAC file of 16 kHz mono, 16 bits, and its seconds."""
    samples = read_audio(entry, utterance)
    file = io.BytesIO()
    soundfile.write(file, to_16_bits(samples), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue(), len(samples) / SAMPLE_RATE


def in_turns(groups: Sequence[Sequence[Example]]) -> list[Example]:
    """The first example of every condition and run, then the second of each, and so on: the order of a tight budget."""
    ranked: dict[int, list[Example]] = {}
    seen: dict[tuple[FinishedRun, NoiseCondition], int] = {}
    for example in (example for group in groups for example in group):
        place = seen[example.run, example.condition] = seen.get((example.run, example.condition), -1) + 1
        ranked.setdefault(place, []).append(example)
    return [example for place in sorted(ranked) for example in ranked[place]]
