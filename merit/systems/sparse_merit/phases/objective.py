"""The training objective of paper Eq. 11 over a batch that may be spread over micro-batches and processes."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from merit.errors import MeritError
from merit.metrics.classification import f1_macro
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
from merit.systems.sparse_merit.model import MeritModel, ModelOutput
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.phases.batch import Batch
from merit.systems.sparse_merit.phases.dataset import UtteranceDataset
from merit.systems.sparse_merit.routing.routing_usage import routing_counts, routing_shares, routing_warnings
from merit.systems.sparse_merit.training_options import MeritTraining
from merit.training.contract import Criterion, Summary


class JointObjective:
    """Weighted cross-entropy, masked L1 and load balancing, each as a sum with its denominator.

    It is the :class:`merit.training.contract.Objective` of a :class:`MeritModel`.

    Args:
        model: configuration of the model; its tasks are the losses that count.
        class_weights: (C,) weights of the cross-entropy, on the device of the batches.
        factors: factor of each loss by name: emotion, enhancement, balancing.
        select: see :class:`merit.systems.sparse_merit.training_options.MeritTraining`.
    """

    def __init__(
        self,
        model: ModelConfig,
        class_weights: Tensor,
        factors: dict[str, float],
        select: Literal["scores", "losses"] = "scores",
    ) -> None:
        self.model = model
        self.tasks = tuple(model.tasks)
        self.class_weights = class_weights
        self.factors = factors
        self.criterion = Criterion("score", True) if select == "scores" else Criterion("criterion", False)

    def forward(self, model: nn.Module, batch: Batch) -> ModelOutput:
        """Run the model on a batch."""
        return model(batch.noisy, batch.lengths, batch.states, batch.frame_lengths)

    def weights(self, progress: float) -> dict[str, float]:
        """Factor of each loss, the same all the time."""
        return self.factors

    def denominators(self, batch: Batch) -> dict[str, Tensor]:
        """What the sums of this batch are to be divided by, once added up over the whole optimiser step."""
        found = {}
        if "emotion" in self.tasks:
            found["emotion"] = cross_entropy_denominator(batch.labels, self.class_weights)
        if "enhancement" in self.tasks:
            found["enhancement"] = l1_denominator(batch.lengths)
        if self.factors["balancing"]:
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
        if self.factors["balancing"]:
            balancing = sum(switch_balancing_loss(routing) for routing in gates_once(output.routing))
            found["balancing"] = balancing * batch.lengths.sum().to(balancing.device, non_blocking=True)
        return found

    def counts(self, output: ModelOutput, batch: Batch) -> dict[str, Tensor]:
        """Of a batch of the dev set: ``confusion`` (C, C), rows are the reference; ``noisy``, the sum of the L1 loss
        that the input would have if it were left as it is, and ``noisy_values``, how many it is over; and the
        :func:`merit.systems.sparse_merit.routing.routing_usage.routing_counts`.
        """
        found = routing_counts(output.routing)
        if output.emotion is not None:
            classes = len(self.class_weights)
            cells = batch.labels * classes + output.emotion.argmax(dim=-1)
            found["confusion"] = torch.bincount(cells, minlength=classes**2).view(classes, classes).float()
        if output.enhanced is not None:
            found["noisy"] = self._distance(log_magnitude(output.noisy_spectrum), batch)
            found["noisy_values"] = self.denominators(batch)["enhancement"]
        return found

    def summary(self, losses: dict[str, float], counts: dict[str, Tensor]) -> Summary:
        """What a dev set comes to.

        Its values are the losses; ``criterion``, the weighted sum of those of the tasks; ``f1_macro`` where emotions
        are known; ``removed``, the share of the noisy input's L1 that enhancement removes (nan where the input is the
        clean speech); and ``score``, the sum of the two.

        Raises:
            MeritError: when epochs are chosen by scores and the dev set has none.
        """
        counts = dict(counts)
        scores = {}
        if "emotion" in self.tasks:
            scores["f1_macro"] = f1_macro(counts.pop("confusion").cpu().numpy())
        if "enhancement" in self.tasks:
            noisy = (counts.pop("noisy") / counts.pop("noisy_values")).cpu().item()
            scores["removed"] = 1 - losses["enhancement"] / noisy if noisy else math.nan
        score = sum(scores.values())
        if self.criterion.name == "score" and math.isnan(score) and all(map(math.isfinite, losses.values())):
            raise MeritError(
                "every noisy utterance of the dev set is its clean speech, so no share of its noise can be removed; "
                "mix some in (stage 2), or choose the epoch by --training.select losses"
            )
        criterion = sum(self.factors[name] * value for name, value in losses.items() if name in self.tasks)
        values = {**losses, "criterion": criterion, **scores, "score": score}
        return Summary(values, routing_shares(counts), routing_warnings(counts, self.model))

    def shared_parameters(self, model: MeritModel) -> list[nn.Parameter]:
        """Of the front end, the last layer that both tasks share."""
        return list(model.front_end.parameters())

    def _distance(self, estimate: Tensor, batch: Batch) -> Tensor:
        lengths = batch.lengths.to(batch.clean.device, non_blocking=True)
        return masked_l1(estimate, log_magnitude(spectrum(batch.clean, lengths)), lengths)


def make_objective(
    model: ModelConfig,
    train_set: UtteranceDataset,
    classes: Sequence[str],
    training: MeritTraining,
    device: torch.device,
) -> JointObjective:
    """The objective of a run, with the class weights ``n / (C n_c)`` of its training set.

    Raises:
        MeritError: when emotions are a task and the training set lacks a class, or PCGrad is to handle the balancing
            loss as well.
    """
    if training.combine == "pcgrad" and training.balancing_weight:
        raise MeritError("training.combine: pcgrad projects the tasks alone; set training.balancing_weight to 0")
    class_weights = torch.ones(len(classes))
    if "emotion" in model.tasks:
        counts = torch.bincount(torch.tensor(train_set.labels), minlength=len(classes))
        absent = [name for name, count in zip(classes, counts) if count == 0]
        if absent:
            raise MeritError(f"{train_set.directory / 'utt2emo'}: no training utterance of {', '.join(absent)}")
        class_weights = balanced_class_weights(counts)
    factors = {
        "emotion": training.emotion_weight,
        "enhancement": training.enhancement_weight,
        "balancing": training.balancing_weight,
    }
    return JointObjective(model, class_weights.to(device), factors, training.select)
