"""What a model makes of the dev set, added up batch by batch."""

from collections.abc import Iterable, Sequence

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from merit.training.contract import Batch, Objective, Summary


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
    """Losses and counts of one model over one pass through the dev set.

    Args:
        model: in evaluation mode.
        objective: its losses.
        accelerator: of the run.
    """

    def __init__(self, model: nn.Module, objective: Objective, accelerator: Accelerator) -> None:
        self.model = model.eval()
        self.objective = objective
        self.accelerator = accelerator
        self.sums: dict[str, Tensor] = {}
        self.denominators: dict[str, Tensor] = {}
        self.counts: dict[str, Tensor] = {}

    @torch.no_grad()
    def add(self, batches: Sequence[Batch]) -> None:
        """Count prepared batches."""
        for batch in batches:
            self._add(batch.to(self.accelerator.device))

    def _add(self, batch: Batch) -> None:
        with self.accelerator.autocast():
            output = self.objective.forward(self.model, batch)
            sums = self.objective.sums(output, batch)
            counts = self.objective.counts(output, batch)
        self.sums = added([self.sums, sums])
        self.denominators = added([self.denominators, self.objective.denominators(batch)])
        self.counts = added([self.counts, counts])

    def result(self) -> Summary:
        """What all batches of all processes come to."""
        sums = reduced(dict(sorted(self.sums.items())), self.accelerator)
        denominators = reduced({name: self.denominators[name] for name in sums}, self.accelerator)
        losses = torch.stack([sums[name] / denominators[name] for name in sums]).tolist()
        counts = {name: self.accelerator.reduce(value, "sum") for name, value in self.counts.items()}
        return self.objective.summary(dict(zip(sums, losses)), counts)
