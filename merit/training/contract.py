"""What the training core asks of a system: batches, examples and one objective.

Nothing here is to be inherited from. A system has classes of its own that have these attributes and methods.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn


class Batch(Protocol):
    """A padded batch.

    Attributes:
        keys: names of the utterances.
        lengths: (B,) their samples.
    """

    keys: list[str]
    lengths: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""


class Examples(Protocol):
    """A data set, indexed by ``(position, epoch)``; an item is a :class:`Batch` of one utterance.

    Attributes:
        directory: where it lies, for messages.
        samples: length of each utterance, in samples; batches are grouped by it.
        seconds: what training hears of each utterance.
        shards: the file that each utterance is read from, when few should be open at a time; else None.
        groups: of each utterance, where a batch may have utterances of one group alone; else None.
        collate: joins items to a padded batch.
    """

    directory: Path
    samples: Sequence[int]
    seconds: Sequence[float]
    shards: Sequence[int] | None
    groups: Sequence[int] | None
    collate: Callable[[Sequence[Any]], Any]

    def __len__(self) -> int: ...

    def __getitem__(self, index: tuple[int, int]) -> Any: ...


class Criterion(NamedTuple):
    """The value of the dev set that epochs are chosen by.

    Attributes:
        name: a key of :attr:`Summary.values`.
        higher_is_better: its direction.
    """

    name: str
    higher_is_better: bool

    def best_first(self, history: Sequence[dict[str, float]]) -> list[dict[str, float]]:
        """Rows of a history, the best first; of equals the earlier."""
        return sorted(history, key=lambda row: row[f"dev_{self.name}"], reverse=self.higher_is_better)


class Summary(NamedTuple):
    """What a dev set comes to.

    Attributes:
        values: losses, scores and the criterion; columns ``dev_<name>`` of the history.
        usage: how parts of the model were used; columns ``<name>`` of the history.
        warnings: what is unhealthy about the model, in words. They are said when they begin, and at the end.
    """

    values: dict[str, float]
    usage: dict[str, float]
    warnings: list[str]


class Objective(Protocol):
    """What a model is trained for: losses that are sums with denominators, so that they add up over micro-batches
    and processes.

    Attributes:
        tasks: the losses that a combination weighs against each other; others are penalties.
        criterion: what epochs are chosen by.
    """

    tasks: tuple[str, ...]
    criterion: Criterion

    def forward(self, model: nn.Module, batch: Any) -> Any:
        """Run the model on a batch that is on its device."""

    def denominators(self, batch: Any) -> dict[str, Tensor]:
        """What the sums of this batch are to be divided by, once added up; on the device."""

    def sums(self, output: Any, batch: Any) -> dict[str, Tensor]:
        """The sum of each loss over this batch."""

    def weights(self, progress: float) -> dict[str, float]:
        """Factor of each loss after this share of the training, from 0 to 1."""

    def counts(self, output: Any, batch: Any) -> dict[str, Tensor]:
        """What a batch of the dev set adds to :meth:`summary` beside the losses; adds up like them."""

    def summary(self, losses: dict[str, float], counts: dict[str, Tensor]) -> Summary:
        """What the losses and the added counts of a whole dev set come to."""

    def shared_parameters(self, model: nn.Module) -> list[nn.Parameter]:
        """The last layer that all tasks share, at which GradNorm compares them."""
