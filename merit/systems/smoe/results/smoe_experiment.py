"""Finding what an experiment has left: methods and seeds."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from merit.report.method_title import title_of
from merit.systems.smoe.results.text_scores import TestSet, cost_of, read_test_set, scores_of
from merit.systems.smoe.smoe_description import SmoeDescription, build_model, read_smoe_description

GIVEN = "decode"
"""Where a run has what was decoded by its labels."""


def folder_of(way: str) -> str:
    """Where a run has what was decoded in a way."""
    return GIVEN if way == "given" else f"probe/{way}"


@dataclass(frozen=True)
class MethodRuns:
    """A method with the runs of all seeds.

    Attributes:
        name: of its file.
        title: in tables.
        runs: directories.
        description: of its model.
    """

    name: str
    title: str
    runs: tuple[Path, ...]
    description: SmoeDescription

    def parameters(self) -> tuple[int, int]:
        """Total and active ones."""
        with torch.device("meta"):
            model = build_model(self.description)
        return sum(parameter.numel() for parameter in model.parameters()), model.active_parameters()

    def mean_scores(self, test: TestSet, way: str = GIVEN) -> dict[str, float]:
        """Measures of a set, averaged over the seeds."""
        return _mean([scores_of(test, run / way) for run in self.runs])

    def mean_cost(self, test: TestSet) -> dict[str, float]:
        """Cost of decoding a set, averaged over the seeds."""
        return _mean([cost_of(test, run / GIVEN) for run in self.runs])

    def hypotheses(self, test: TestSet, task: str, way: str = GIVEN) -> list[list[str]]:
        """Texts of each seed."""
        return [test.hypotheses(run / way, task) for run in self.runs]

    def probes(self) -> list[dict]:
        """What was probed in each run (:mod:`merit.systems.smoe.expert_probe`); empty where nothing was."""
        paths = [run / "probe/probe.json" for run in self.runs]
        return [json.loads(path.read_text()) for path in paths if path.is_file()]


def find_runs(
    exp: Path, methods: Sequence[str], seeds: Sequence[int], tag: str, conf: Sequence[Path]
) -> list[MethodRuns]:
    """The runs of an experiment, ``<exp>/<method>[_<tag>]-<seed>``.

    Args:
        exp: folder of the runs.
        methods: names.
        seeds: of the trainings.
        tag: of all runs.
        conf: folders of the methods' files, for their titles.

    Raises:
        MeritError: when one is not trained.
    """
    found = []
    for method in methods:
        runs = tuple(exp / f"{method}{'_' if tag else ''}{tag}-{seed}" for seed in seeds)
        descriptions = [read_smoe_description(run) for run in runs]
        found.append(MethodRuns(method, title_of(method, conf), runs, descriptions[0]))
    return found


def read_tests(directories: Sequence[Path], methods: Sequence[MethodRuns]) -> list[TestSet]:
    """The sets of the test, with the tasks that the methods have learnt."""
    return [read_test_set(directory, methods[0].description.languages) for directory in directories]


def _mean(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(one[name] for one in values) / len(values) for name in values[0]}
