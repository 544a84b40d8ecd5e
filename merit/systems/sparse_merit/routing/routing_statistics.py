"""How the gates of trained models behave on the test: switching, agreement, expert usage (paper section V-D).

Everything is counted over single frames of 20 ms, of which a decoded condition keeps each gate's strongest expert
(``routing.npz``). Counts of several conditions are added, so that a share is one over all of their frames.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from merit.data.noise.mixed_names import NoiseCondition
from merit.errors import MeritError
from merit.metrics.label_table import read_label_table
from merit.systems.sparse_merit.results.experiment import Experiment, FinishedRun
from merit.systems.sparse_merit.results.run_files import EMOTION_TABLE, ROUTING, read_routing
from merit.systems.sparse_merit.routing.routing_usage import count_strongest


@dataclass(frozen=True)
class RoutingCounts:
    """Exact counts over the frames of some utterances; they can be added.

    Attributes:
        tasks: the G gates by their tasks.
        choices: frames by the expert that got them, as :func:`.routing_usage.count_strongest` has them.
        pairs: number of neighbouring frames, both of one utterance.
        switches: (G,) pairs whose second frame has another expert than the first.
    """

    tasks: tuple[str, ...]
    choices: dict[str, Tensor]
    pairs: int
    switches: np.ndarray

    def __add__(self, other: "RoutingCounts") -> "RoutingCounts":
        return RoutingCounts(
            self.tasks,
            {name: value + other.choices[name] for name, value in self.choices.items()},
            self.pairs + other.pairs,
            self.switches + other.switches,
        )

    @property
    def frames(self) -> int:
        """Number of frames."""
        return int(self.choices["frames"])

    @property
    def agreement(self) -> float:
        """Share of the frames on which all gates chose the same expert; NaN where there is one gate."""
        return int(self.choices["agreement"]) / self.frames if len(self.tasks) > 1 else float("nan")

    def chosen(self, task: str) -> np.ndarray:
        """(N,) number of frames that each expert got."""
        return self.choices[f"usage_{task}"].numpy()

    def usage(self, task: str) -> np.ndarray:
        """(N,) share of the frames that each expert got."""
        return self.chosen(task) / self.frames

    def switching_rate(self, task: str) -> float:
        """Share of the frames, the first of each utterance left out, that have another expert than the one before."""
        return float(self.switches[self.tasks.index(task)] / self.pairs) if self.pairs else float("nan")


Counts = Mapping[tuple[NoiseCondition, str], RoutingCounts]
"""Of one run: condition and emotion of the reference (empty where it is not known) -> counts."""


def count_routing(tasks: Sequence[str], num_experts: int, utterances: Sequence[np.ndarray]) -> RoutingCounts:
    """Count over utterances, each the strongest expert of every frame ``(G, T)``."""
    experts = np.concatenate(utterances, axis=1)
    changes = experts[:, 1:] != experts[:, :-1]
    # From the last frame of one utterance to the first of the next is no switch.
    within = np.ones(changes.shape[1], dtype=bool)
    within[np.cumsum([strongest.shape[1] for strongest in utterances])[:-1] - 1] = False
    return RoutingCounts(
        tasks=tuple(tasks),
        choices=count_strongest(dict(zip(tasks, torch.from_numpy(experts.astype(np.int64)))), num_experts),
        pairs=int(within.sum()),
        switches=changes[:, within].sum(axis=1),
    )


def routes(run: FinishedRun) -> bool:
    """Whether its gates have a choice: several experts behind them."""
    config = run.model_config()
    return config.front_end == "moe" and config.num_experts > 1


def count_test(experiment: Experiment) -> dict[FinishedRun, Counts]:
    """Count all test conditions of the runs that route.

    Raises:
        MeritError: as :func:`count_run`.
    """
    return {run: count_run(run, experiment.conditions) for run in experiment.runs if routes(run)}


def count_run(run: FinishedRun, conditions: Iterable[NoiseCondition]) -> Counts:
    """Count over every condition and every emotion of the reference.

    Raises:
        MeritError: when a condition has no routing, routing of other utterances than its scores, or more experts than
            the model.
    """
    num_experts = run.model_config().num_experts
    counts = {}
    for condition in conditions:
        path = run.decoded(condition) / ROUTING
        if not path.exists():
            raise MeritError(f"{path}: not there, though the model routes; decode the condition again (stage 6)")
        tasks, experts = read_routing(path)
        highest = max((int(strongest.max()) for strongest in experts.values() if strongest.size), default=0)
        if highest >= num_experts:
            raise MeritError(f"{path}: names expert {highest} of a model with {num_experts}; decode it again (stage 6)")
        for emotion, utterances in _by_emotion(run, condition, list(experts)).items():
            counts[condition, emotion] = count_routing(tasks, num_experts, [experts[name] for name in utterances])
    return counts


def _by_emotion(run: FinishedRun, condition: NoiseCondition, utterances: Sequence[str]) -> dict[str, list[str]]:
    table = run.score(condition) / EMOTION_TABLE
    if not table.exists():  # a model without an emotion head
        return {"": list(utterances)}
    reference = read_label_table(table).reference
    if differing := sorted(reference.keys() ^ set(utterances)):
        raise MeritError(
            f"{run.decoded(condition) / ROUTING}: {len(differing)} utterances are in this file or in {table} "
            f"alone, as {differing[0]}; decode and score the condition again (stage 6)"
        )
    groups: dict[str, list[str]] = {}
    for utterance in utterances:
        groups.setdefault(reference[utterance], []).append(utterance)
    return groups


def by_snr(counts: Counts) -> dict[float | None, RoutingCounts]:
    """Added over noises and emotions, in the order of the SNR; None, the clean test, comes first."""
    snrs = {condition.snr for condition, _ in counts}
    ordered = sorted(snrs, key=lambda snr: (snr is not None, snr))
    return {snr: total(found for (condition, _), found in counts.items() if condition.snr == snr) for snr in ordered}


def by_emotion(counts: Counts) -> dict[str, RoutingCounts]:
    """Added over all conditions, in the order of the alphabet; empty where emotions are not known."""
    emotions = sorted({emotion for _, emotion in counts} - {""})
    return {emotion: total(found for (_, own), found in counts.items() if own == emotion) for emotion in emotions}


def total(counts: Iterable[RoutingCounts]) -> RoutingCounts:
    """The sum of at least one."""
    first, *rest = counts
    return sum(rest, first)
