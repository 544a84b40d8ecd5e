"""What MoE-MOS is trained for, over a batch that may be in micro-batches and processes (paper section III.D)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from merit.errors import MeritError
from merit.metrics.quality.agreement import quality_scores
from merit.objectives.utterance_gate import diversity_loss, sparsity_losses
from merit.systems.moe_mos.clip_batch import MosBatch
from merit.systems.moe_mos.clip_dataset import ClipDataset
from merit.systems.moe_mos.quality_model import MosOutput
from merit.systems.moe_mos.stage_options import MosTraining
from merit.training.contract import Criterion, Summary

RARELY_USED = 0.05
"""An expert with a smaller share of the gate's weight is as good as lost."""

NOTHING = 1e-12
"""Denominator of a loss that no clip of a batch has: the loss is then 0, and beside whole numbers this is nothing."""


class MosObjective:
    """Smooth L1 of MOS, cross-entropy of systems, diversity and sparsity of the gate, as sums with denominators.

    The :class:`merit.training.contract.Objective` of a :class:`merit.systems.moe_mos.quality_model.MosNetwork`. Clips
    without a rating count nothing in the MOS loss, clips of no class nothing in the classification.

    Args:
        training: options of the stage.
        dev_set: the clips whose predictions are compared with their ratings after each epoch.

    Raises:
        MeritError: when the dev set cannot tell epochs apart by ``training.select``.
    """

    tasks = ("mos", "classification")

    def __init__(self, training: MosTraining, dev_set: ClipDataset) -> None:
        self.training = training
        self.criterion = Criterion(training.select, higher_is_better=training.select != "mos")
        self.dev_mos = dev_set.mos.double().numpy()
        self.dev_systems = [dev_set.clips[key].system_id for key in dev_set.keys]
        self.dev_known = bool((dev_set.systems >= 0).any())
        truth = quality_scores(self.dev_systems, self.dev_mos, self.dev_mos)
        if not truth.utterance.count:
            raise MeritError(f"{dev_set.directory}: no clip has a rating; epochs are chosen by such clips")
        missing = {
            "sys_srcc": math.isnan(truth.system.srcc) and "two systems of different mean ratings",
            "utt_srcc": math.isnan(truth.utterance.srcc) and "two clips of different mean ratings",
            "accuracy": not self.dev_known and "a clip of a system that is in the training set",
        }.get(training.select)
        if missing:
            raise MeritError(
                f"{dev_set.directory}: select is {training.select}, which needs {missing}; choose another one, as "
                "--classification.select mos --classification.keep last"
            )

    def forward(self, model: nn.Module, batch: MosBatch) -> MosOutput:
        """Run the model on a batch."""
        return model(batch.waveform, batch.lengths, batch.states, batch.frame_lengths, batch.listeners)

    def weights(self, progress: float) -> dict[str, float]:
        """Factor of each loss after this share of the stage: MOS moves linearly from its first share to its last."""
        first, last = self.training.mos_share
        share = first + (last - first) * progress
        return {
            "mos": share,
            "classification": 1 - share,
            "diversity": self.training.diversity_weight,
            "sparsity": self.training.sparsity_weight,
        }

    def denominators(self, batch: MosBatch) -> dict[str, Tensor]:
        """Clips with a rating, clips of a class, and all."""
        rated, known = ~batch.mos.isnan(), batch.systems >= 0
        clips = torch.ones_like(rated).sum()
        counts = {"mos": rated.sum(), "classification": known.sum(), "diversity": clips, "sparsity": clips}
        return {name: count.float().clamp_min(NOTHING) for name, count in counts.items()}

    def sums(self, output: MosOutput, batch: MosBatch) -> dict[str, Tensor]:
        """The sum of each loss over this batch.

        Diversity is taken over the clips that are computed at once and counts by their number.
        """
        rated, known = ~batch.mos.isnan(), batch.systems >= 0
        gates = output.routing.probabilities[output.routing.mask]
        return {
            "mos": functional.smooth_l1_loss(output.mos[rated], batch.mos[rated], reduction="sum"),
            "classification": functional.cross_entropy(
                output.systems[known].float(), batch.systems[known], reduction="sum"
            ),
            "diversity": diversity_loss(gates) * len(gates),
            "sparsity": sparsity_losses(gates).sum(),
        }

    def counts(self, output: MosOutput, batch: MosBatch) -> dict[str, Tensor]:
        """Predictions in the places of their clips, zero elsewhere; gate weights; clips whose system was recognised."""
        gates = output.routing.weights[output.routing.mask]
        predictions = output.mos.new_zeros(len(self.dev_mos)).index_add(0, batch.positions, output.mos)
        known = batch.systems >= 0
        right = output.systems.argmax(dim=-1) == batch.systems
        return {"predictions": predictions, "gates": gates.sum(dim=0), "right": right.sum(), "known": known.sum()}

    def summary(self, losses: dict[str, float], counts: dict[str, Tensor]) -> Summary:
        """What a dev set comes to: losses, accuracy where a class is known, error and ranks at both levels."""
        found = quality_scores(self.dev_systems, self.dev_mos, counts["predictions"].double().cpu().numpy())
        values = dict(losses)
        if self.dev_known:
            values["accuracy"] = (counts["right"] / counts["known"]).item()
        else:
            del values["classification"]  # of no clip
        ranks = {"utt_srcc": found.utterance.srcc, "sys_srcc": found.system.srcc}
        # A model that says the same of all clips, as one that is at the end of the range, ranks nothing.
        values |= {name: 0.0 if math.isnan(value) else value for name, value in ranks.items()}
        values |= {"utt_mse": found.utterance.mse, "sys_mse": found.system.mse}
        shares = (counts["gates"] / counts["gates"].sum()).tolist()
        usage = {f"usage_{number}": share for number, share in enumerate(shares, start=1)}
        return Summary(values, usage, usage_warnings(shares))

    def shared_parameters(self, model: nn.Module) -> list[nn.Parameter]:
        """The experts, the last layers that both tasks share."""
        return list(model.experts.parameters())


def usage_warnings(shares: list[float]) -> list[str]:
    """What is unhealthy about the experts' shares of the gate's weight."""
    if len(shares) == 1:
        return []
    return [
        f"expert {number} has {100 * share:.1f} % of the gate's weight; a larger diversity_weight spreads it"
        for number, share in enumerate(shares, start=1)
        if share < RARELY_USED
    ]
