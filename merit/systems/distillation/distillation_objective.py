"""DistilHuBERT's loss (Chang, Yang and Lee 2022, Eq. 1) over frames that may be spread over micro-batches."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from merit.nets.masks import length_mask
from merit.systems.distillation.noisy_examples import Batch
from merit.training.contract import Criterion, Summary


def distillation_losses(predicted: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Mean of ``|predicted - target|`` and ``-log sigmoid(cos(predicted, target))`` of frames (..., E); each (...)."""
    l1 = (predicted - target).abs().mean(-1)
    return l1, -functional.logsigmoid(functional.cosine_similarity(predicted, target, dim=-1))


class DistillationObjective:
    """L1 and cosine between predicted states and the teacher's, which are standardised, and L1 between their means.

    Means over an utterance, or a crop of it, are what tells of voice and emotion. Frame by frame they are a small part
    of the states, and the student learns them last; so they have a loss of their own.

    It is the :class:`merit.training.contract.Objective` of a :class:`merit.systems.distillation.student.Student`. A few
    channels of a transformer's states are many times as large as all others; standardised, each channel counts alike.

    Args:
        mean, std: (L, E) of the teacher's states that are predicted.
        cosine_weight, mean_weight: factors of the cosine loss and of that of the means, beside the L1.
    """

    tasks = ("l1", "cosine", "mean")
    criterion = Criterion("loss", False)

    def __init__(self, mean: Tensor, std: Tensor, cosine_weight: float = 1.0, mean_weight: float = 1.0) -> None:
        self.mean, self.std = mean, std
        self.factors = {"l1": 1.0, "cosine": cosine_weight, "mean": mean_weight}

    def forward(self, model: nn.Module, batch: Batch) -> tuple[list[Tensor], Tensor]:
        """Run the student on a batch."""
        return model(batch.noisy, batch.lengths)

    def weights(self, progress: float) -> dict[str, float]:
        """Factor of each loss, the same all the time."""
        return self.factors

    def denominators(self, batch: Batch) -> dict[str, Tensor]:
        """Frames times layers, and for the means utterances times layers."""
        layers = batch.targets.shape[2]
        frames = (batch.frame_lengths.sum() * layers).to(self.mean)
        return {"l1": frames, "cosine": frames, "mean": self.mean.new_tensor(len(batch.keys) * layers)}

    def sums(self, output: tuple[list[Tensor], Tensor], batch: Batch) -> dict[str, Tensor]:
        """The losses over all frames or utterances, and layers."""
        predicted, frame_lengths = output
        frames = batch.targets.shape[1]
        inside = length_mask(batch.frame_lengths.to(batch.targets.device), frames)
        counts = batch.frame_lengths.to(inside.device).unsqueeze(-1)
        totals = [self.mean.new_zeros(())] * len(self.tasks)
        for place, prediction in enumerate(predicted):
            target = (batch.targets[:, :, place].float() - self.mean[place]) / self.std[place]
            prediction = prediction[:, :frames].float()
            l1, cosine = distillation_losses(prediction, target)
            off = ((prediction - target) * inside.unsqueeze(-1)).sum(1) / counts  # (B, E), of the means
            sums = ((l1 * inside).sum(), (cosine * inside).sum(), off.abs().mean(-1).sum())
            totals = [total + value for total, value in zip(totals, sums)]
        return dict(zip(self.tasks, totals))

    def counts(self, output: tuple[list[Tensor], Tensor], batch: Batch) -> dict[str, Tensor]:
        """Nothing beside the losses."""
        return {}

    def summary(self, losses: dict[str, float], counts: dict[str, Tensor]) -> Summary:
        """Losses of the dev set and what epochs are chosen by, their weighted sum."""
        total = sum(self.factors[name] * value for name, value in losses.items() if name in self.factors)
        return Summary({**losses, "loss": total}, {}, [])

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
