"""The training objective of paper Eq. 11 over a batch that may be spread over micro-batches and processes."""

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor

from merit.errors import MeritError
from merit.nets.gate import gates_once
from merit.nets.spectrum import log_magnitude, spectrum
from merit.objectives.balancing import switch_balancing_loss
from merit.objectives.losses import (
    balanced_class_weights,
    cross_entropy_denominator,
    l1_denominator,
    masked_l1,
    weighted_cross_entropy,
)
from merit.systems.sparse_merit.batch import Batch
from merit.systems.sparse_merit.dataset import UtteranceDataset
from merit.systems.sparse_merit.model import ModelOutput
from merit.systems.sparse_merit.model_config import Task
from merit.training.config import TrainingConfig

Loss = TypeVar("Loss", Tensor, float)


class JointObjective:
    """Weighted cross-entropy, masked L1 and load balancing, each as a sum with its denominator.

    Args:
        tasks: tasks of the model, which are the losses that count.
        class_weights: (C,) weights of the cross-entropy, on the device of the batches.
        weights: factor of each loss by name: emotion, enhancement, balancing.
    """

    def __init__(self, tasks: Sequence[str], class_weights: Tensor, weights: dict[str, float]) -> None:
        self.tasks = tuple(tasks)
        self.class_weights = class_weights
        self.weights = weights

    def denominators(self, batch: Batch) -> dict[str, Tensor]:
        """What the sums of this batch are to be divided by, once added up over the whole optimiser step."""
        found = {}
        if "emotion" in self.tasks:
            found["emotion"] = cross_entropy_denominator(batch.labels, self.class_weights)
        if "enhancement" in self.tasks:
            found["enhancement"] = l1_denominator(batch.lengths)
        if self.weights["balancing"]:
            found["balancing"] = batch.lengths.sum()
        device = self.class_weights.device
        return {name: value.to(device, torch.float32, non_blocking=True) for name, value in found.items()}

    def sums(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        """The sum of each loss over this batch.

        The balancing loss is a product of means, not a sum: it is taken over this batch, of each gate once, and counts
        by the audio in it.
        """
        found = {}
        if "emotion" in self.tasks:
            found["emotion"] = weighted_cross_entropy(output.emotion, batch.labels, self.class_weights)
        if "enhancement" in self.tasks:
            found["enhancement"] = self._distance(output.enhanced, batch)
        if self.weights["balancing"]:
            balancing = sum(switch_balancing_loss(routing) for routing in gates_once(output.routing))
            found["balancing"] = balancing * batch.lengths.sum().to(balancing.device, non_blocking=True)
        return found

    def noisy_distance(self, output: ModelOutput, batch: Batch) -> Tensor:
        """The sum of the L1 loss over this batch that the input would have if it were left as it is."""
        return self._distance(log_magnitude(output.noisy_spectrum), batch)

    def _distance(self, estimate: Tensor, batch: Batch) -> Tensor:
        lengths = batch.lengths.to(batch.clean.device, non_blocking=True)
        return masked_l1(estimate, log_magnitude(spectrum(batch.clean, lengths)), lengths)

    def weighted(self, values: dict[str, Loss]) -> dict[str, Loss]:
        """Losses that were divided already, each times its factor."""
        return {name: self.weights[name] * value for name, value in values.items()}

    def total(self, values: dict[str, Loss]) -> Loss:
        """Weighted sum of losses that were divided already; also the criterion on the dev set, without balancing."""
        return sum(self.weighted(values).values())


def make_objective(
    tasks: Sequence[Task],
    train_set: UtteranceDataset,
    classes: Sequence[str],
    config: TrainingConfig,
    device: torch.device,
) -> JointObjective:
    """The objective of a run, with the class weights ``n / (C n_c)`` of its training set.

    Raises:
        MeritError: when emotions are a task and the training set lacks a class.
    """
    class_weights = torch.ones(len(classes))
    if "emotion" in tasks:
        counts = torch.bincount(torch.tensor(train_set.labels), minlength=len(classes))
        absent = [name for name, count in zip(classes, counts) if count == 0]
        if absent:
            raise MeritError(f"{train_set.directory / 'utt2emo'}: no training utterance of {', '.join(absent)}")
        class_weights = balanced_class_weights(counts)
    weights = {
        "emotion": config.emotion_weight,
        "enhancement": config.enhancement_weight,
        "balancing": config.balancing_weight,
    }
    return JointObjective(tasks, class_weights.to(device), weights)
