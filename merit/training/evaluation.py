"""What a model makes of the dev set, added up batch by batch."""

import math
from collections.abc import Iterable, Sequence

import torch
from accelerate import Accelerator
from torch import Tensor

from merit.metrics.classification import f1_macro
from merit.systems.sparse_merit.batch import Batch
from merit.systems.sparse_merit.model import MeritModel
from merit.systems.sparse_merit.objective import JointObjective
from merit.systems.sparse_merit.routing.routing_usage import routing_counts


def added(parts: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Sum of each entry over the parts that have it."""
    total: dict[str, Tensor] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total[name] + value if name in total else value
    return total


def reduced(values: dict[str, Tensor], accelerator: Accelerator) -> dict[str, Tensor]:
    """Scalars of one type, each added over all processes; they travel together."""
    joined = accelerator.reduce(torch.stack(list(values.values())), "sum")
    return dict(zip(values, joined.unbind()))


class Evaluation:
    """Losses, recognised emotions and routing of one model over one pass through the dev set.

    Args:
        model: in evaluation mode.
        objective: its losses.
        accelerator: of the run.
    """

    def __init__(self, model: MeritModel, objective: JointObjective, accelerator: Accelerator) -> None:
        self.model = model.eval()
        self.objective = objective
        self.accelerator = accelerator
        self.totals: dict[str, Tensor] = {}
        self.routed: dict[str, Tensor] = {}
        classes = len(objective.class_weights)
        self.confusion = torch.zeros(classes, classes, device=accelerator.device)

    @torch.no_grad()
    def add(self, batches: Sequence[Batch]) -> None:
        """Count prepared batches."""
        for batch in batches:
            self._add(batch.to(self.accelerator.device, lengths=False))

    def _add(self, batch: Batch) -> None:
        with self.accelerator.autocast():
            output = self.model(batch.noisy, batch.lengths, batch.states, batch.frame_lengths)
            sums = self.objective.sums(output, batch)
            denominators = self.objective.denominators(batch)
            if output.enhanced is not None:
                sums["noisy"] = self.objective.noisy_distance(output, batch)
                denominators["noisy"] = denominators["enhancement"]
        denominators = {f"{name}/of": value for name, value in denominators.items()}
        self.totals = added([self.totals, sums, denominators])
        self.routed = added([self.routed, routing_counts(output.routing)])
        if output.emotion is not None:
            cell = batch.labels * len(self.confusion) + output.emotion.argmax(dim=-1)
            self.confusion.view(-1).index_add_(0, cell, torch.ones_like(cell, dtype=self.confusion.dtype))

    def result(self) -> tuple[dict[str, float], dict[str, Tensor]]:
        """What all batches of all processes come to.

        Returns:
            losses, and their weighted sum as ``criterion``; ``f1_macro`` where emotions are known, ``removed``, the
            share of the noisy input's L1 that enhancement removes (nan where the input is the clean speech), and the
            sum of the two as ``score``; and the added :func:`.routing_counts`, none for a
            model that does not route.
        """
        totals = reduced(dict(sorted(self.totals.items())), self.accelerator)
        names = [name for name in totals if not name.endswith("/of")]
        shares = torch.stack([totals[name] / totals[f"{name}/of"] for name in names])
        found = dict(zip(names, shares.tolist()))
        tasks = {name: value for name, value in found.items() if name in self.objective.tasks}
        found["criterion"] = self.objective.total(tasks)
        scores = {}
        if "emotion" in tasks:
            scores["f1_macro"] = f1_macro(self.accelerator.reduce(self.confusion, "sum").cpu().numpy())
        if "enhancement" in tasks:
            noisy = found.pop("noisy")
            scores["removed"] = 1 - found["enhancement"] / noisy if noisy else math.nan
        found |= {**scores, "score": sum(scores.values())}
        return found, {name: self.accelerator.reduce(value, "sum") for name, value in self.routed.items()}
