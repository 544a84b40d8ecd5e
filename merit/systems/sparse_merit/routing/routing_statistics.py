"""How the gates of trained models behave on the test: switching, agreement, expert usage (paper section V-D).

Everything is counted over single frames of 20 ms, of which a decoded condition keeps each gate's strongest expert
(``routing.npz``). Counts of several conditions are added, so that a share is one over all of their frames. Of gates
that keep more than one expert (top-K, dense) the strongest alone is counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from merit.errors import MeritError
from merit.metrics.label_table import read_label_table
from merit.systems.sparse_merit.decoding import read_routing
from merit.systems.sparse_merit.results.conditions import Condition
from merit.systems.sparse_merit.results.experiment import Run
from merit.systems.sparse_merit.results.provenance import read_config
from merit.systems.sparse_merit.results.score_tables import EMOTION_TABLE
from merit.systems.sparse_merit.routing.routing_health import health_warnings


@dataclass(frozen=True)
class RoutingCounts:
    """Exact counts over the frames of some utterances; they can be added.

    Attributes:
        tasks: the G gates by their tasks.
        frames: number of frames.
        pairs: number of neighbouring frames, both of one utterance.
        switches: (G,) pairs whose second frame has another expert than the first.
        agreements: frames on which all gates chose the same expert.
        chosen: (G, N) frames that each expert got.
    """

    tasks: tuple[str, ...]
    frames: int
    pairs: int
    switches: np.ndarray
    agreements: int
    chosen: np.ndarray

    def __add__(self, other: "RoutingCounts") -> "RoutingCounts":
        return RoutingCounts(
            self.tasks,
            self.frames + other.frames,
            self.pairs + other.pairs,
            self.switches + other.switches,
            self.agreements + other.agreements,
            self.chosen + other.chosen,
        )

    def switching_rate(self, task: str) -> float:
        """Share of the frames, the first of each utterance left out, that have another expert than the one before."""
        return float(self.switches[self.tasks.index(task)] / self.pairs) if self.pairs else float("nan")

    @property
    def agreement(self) -> float:
        """Share of the frames on which all gates chose the same expert; NaN where there is one gate."""
        return self.agreements / self.frames if len(self.tasks) > 1 else float("nan")

    def usage(self, task: str) -> np.ndarray:
        """(N,) share of the frames that each expert got."""
        return self.chosen[self.tasks.index(task)] / self.frames


Counts = Mapping[tuple[Condition, str], RoutingCounts]
"""Of one run: condition and emotion of the reference (empty where it is not known) -> counts."""


def count_routing(tasks: Sequence[str], num_experts: int, utterances: Sequence[np.ndarray]) -> RoutingCounts:
    """Count over utterances, each the strongest expert of every frame ``(G, T)``."""
    experts = np.concatenate(utterances, axis=1)
    changes = experts[:, 1:] != experts[:, :-1]
    # From the last frame of one utterance to the first of the next is no switch.
    within = np.ones(changes.shape[1], dtype=bool)
    within[np.cumsum([of.shape[1] for of in utterances])[:-1] - 1] = False
    return RoutingCounts(
        tasks=tuple(tasks),
        frames=experts.shape[1],
        pairs=int(within.sum()),
        switches=changes[:, within].sum(axis=1),
        agreements=int((experts == experts[:1]).all(axis=0).sum()),
        chosen=np.stack([np.bincount(of, minlength=num_experts) for of in experts]),
    )


def model_settings(run: Run) -> dict:
    """The :class:`merit.systems.sparse_merit.model.ModelConfig` fields of a run, as its ``config.json`` has them.

    Raises:
        MeritError: as :func:`merit.systems.sparse_merit.results.provenance.read_config`.
    """
    return read_config(run)["description"]["model"]


def routed(runs: Iterable[Run]) -> list[Run]:
    """Those of the runs whose gates have a choice: several experts behind them."""
    settings = {run: model_settings(run) for run in runs}
    return [run for run, own in settings.items() if own["front_end"] == "moe" and own["num_experts"] > 1]


def routing_counts(run: Run, conditions: Iterable[Condition]) -> Counts:
    """Count over every condition and every emotion of the reference.

    Raises:
        MeritError: when a condition has no routing, routing of other utterances than its scores, or more experts than
            the model.
    """
    num_experts = model_settings(run)["num_experts"]
    counts = {}
    for condition in conditions:
        path = run.decoded(condition) / "routing.npz"
        if not path.exists():
            raise MeritError(f"{path}: not there, though the model routes; decode the condition again (stage 6)")
        tasks, experts = read_routing(path)
        strongest = max((int(of.max()) for of in experts.values() if of.size), default=0)
        if strongest >= num_experts:
            raise MeritError(
                f"{path}: names expert {strongest} of a model with {num_experts}; decode it again (stage 6)"
            )
        for emotion, utterances in _by_emotion(run, condition, list(experts)).items():
            counts[condition, emotion] = count_routing(tasks, num_experts, [experts[name] for name in utterances])
    return counts


def _by_emotion(run: Run, condition: Condition, utterances: Sequence[str]) -> dict[str, list[str]]:
    table = run.score(condition) / EMOTION_TABLE
    if not table.exists():  # a model without an emotion head
        return {"": list(utterances)}
    reference = read_label_table(table).reference
    if differing := sorted(reference.keys() ^ set(utterances)):
        raise MeritError(
            f"{run.decoded(condition) / 'routing.npz'}: {len(differing)} utterances are in this file or in {table} "
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
    return {snr: total(of for (condition, _), of in counts.items() if condition.snr == snr) for snr in ordered}


def by_emotion(counts: Counts) -> dict[str, RoutingCounts]:
    """Added over all conditions, in the order of the alphabet; empty where emotions are not known."""
    emotions = sorted({emotion for _, emotion in counts} - {""})
    return {emotion: total(of for (_, own), of in counts.items() if own == emotion) for emotion in emotions}


def total(counts: Iterable[RoutingCounts]) -> RoutingCounts:
    """The sum of at least one."""
    first, *rest = counts
    return sum(rest, first)


def run_warnings(run: Run, counts: RoutingCounts) -> list[str]:
    """Routing health of a run over its whole test; see :func:`.routing_health.health_warnings`."""
    usage = {task: counts.usage(task) for task in counts.tasks}
    two_gates = len(counts.tasks) > 1 and not model_settings(run).get("shared_gate", False)
    return health_warnings(usage, counts.agreement if two_gates else None)
