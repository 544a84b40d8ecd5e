"""DistilHuBERT's loss (Chang, Yang and Lee 2022, Eq. 1) over frames that may be spread over micro-batches."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from merit.nets.masks import length_mask
from merit.systems.distillation.examples import Batch
from merit.training.contract import Criterion, Summary


def distillation_losses(predicted: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of ``|predicted - target|`` and ``-log sigmoid(cos(predicted, target))`` of frames (..., E); each (...)."""
    l1 = (predicted - target).abs().mean(-1)
    return l1, -functional.logsigmoid(functional.cosine_similarity(predicted, target, dim=-1))


class DistillationObjective:
    """L1 and cosine between predicted states and the teacher's, which are standardised.

    It is the :class:`merit.training.contract.Objective` of a :class:`merit.systems.distillation.student.Student`. A few
    channels of a transformer's states are many times as large as all others; standardised, each channel counts alike.

    Args:
        mean, std: (L, E) of the teacher's states that are predicted.
        cosine_weight: factor of the cosine loss beside the L1.
    """

    tasks = ("l1", "cosine")
    criterion = Criterion("loss", False)

    def __init__(self, mean: Tensor, std: Tensor, cosine_weight: float = 1.0) -> None:
        self.mean, self.std = mean, std
        self.cosine_weight = cosine_weight

    def forward(self, model: nn.Module, batch: Batch) -> tuple[list[Tensor], Tensor]:
        """Run the student on a batch."""
        return model(batch.noisy, batch.lengths)

    def weights(self, progress: float) -> dict[str, float]:
        """Factor of each loss, the same all the time."""
        return {"l1": 1.0, "cosine": self.cosine_weight}

    def denominators(self, batch: Batch) -> dict[str, Tensor]:
        """Frames times layers."""
        count = (batch.frame_lengths.sum() * batch.targets.shape[2]).to(self.mean)
        return {"l1": count, "cosine": count}

    def sums(self, output: tuple[list[Tensor], Tensor], batch: Batch) -> dict[str, Tensor]:
        """Both losses over all frames and layers."""
        predicted, frame_lengths = output
        frames = batch.targets.shape[1]
        inside = length_mask(batch.frame_lengths.to(batch.targets.device), frames)
        totals = [self.mean.new_zeros(()), self.mean.new_zeros(())]
        for place, prediction in enumerate(predicted):
            target = (batch.targets[:, :, place].float() - self.mean[place]) / self.std[place]
            losses = distillation_losses(prediction[:, :frames].float(), target)
            totals = [total + (loss * inside).sum() for total, loss in zip(totals, losses)]
        return dict(zip(self.tasks, totals))

    def counts(self, output: tuple[list[Tensor], Tensor], batch: Batch) -> dict[str, Tensor]:
        """Nothing beside the losses."""
        return {}

    def summary(self, losses: dict[str, float], counts: dict[str, Tensor]) -> Summary:
        """Losses of the dev set and what epochs are chosen by, their weighted sum."""
        return Summary({**losses, "loss": losses["l1"] + self.cosine_weight * losses["cosine"]}, {}, [])

    def shared_parameters(self, model: nn.Module) -> list[nn.Parameter]:
        """Those of the encoder's last layer."""
        return list(model.encoder.layers[-1].parameters())


@torch.no_grad()
def state_statistics(states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (L, E) over the frames of some utterances' states, each (T, L, E)."""
    count = sum(len(one) for one in states)
    mean = sum(one.double().sum(0) for one in states) / count
    variance = sum((one.double() - mean).square().sum(0) for one in states) / count
    return mean.float(), variance.clamp_min(1e-12).sqrt().float()
