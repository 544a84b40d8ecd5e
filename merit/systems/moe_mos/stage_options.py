"""Options of the three stages of training (paper section III.E)."""

from dataclasses import dataclass, field
from typing import Literal

from merit.errors import MeritError
from merit.training.config import TrainingConfig

Stage = Literal["classification", "joint", "mos"]
STAGES: tuple[Stage, ...] = ("classification", "joint", "mos")


@dataclass
class MosTraining(TrainingConfig):
    """How one stage is trained.

    The losses are ``share * MOS + (1 - share) * classification + diversity + sparsity``, where the share of MOS goes
    linearly from its first to its last value while the stage lasts.

    Attributes:
        select: the value of the dev set that epochs are chosen by: SRCC over systems or over utterances, the MOS loss,
            or the accuracy of the classification.
        mos_share: first and last value of the share of the MOS loss.
        diversity_weight: factor of the diversity loss (:mod:`merit.objectives.utterance_gate`).
        sparsity_weight: factor of the sparsity loss.
        rated_only: train on the clips with a rating alone, as the paper does in its last stage.

    Raises:
        MeritError: when a share is not between 0 and 1.
    """

    select: Literal["sys_srcc", "utt_srcc", "mos", "accuracy"] = "sys_srcc"
    mos_share: list[float] = field(default_factory=lambda: [0.9, 0.9])
    diversity_weight: float = 0.05
    sparsity_weight: float = 0.02
    rated_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.mos_share) != 2 or not all(0 <= share <= 1 for share in self.mos_share):
            raise MeritError(
                f"mos_share is {self.mos_share}; expected its first and last value, as [0.3,0.7], between 0 and 1"
            )


def classification_stage() -> MosTraining:
    """Stage 1: the generating systems alone, learning rate 1e-4 [paper]; 20 epochs [ours]."""
    return MosTraining(epochs=20, learning_rate=1e-4, mos_share=[0.0, 0.0], select="accuracy", **_every_stage())


def joint_stage() -> MosTraining:
    """Stage 2: MOS : classification from 0.3 : 0.7 to 0.7 : 0.3 [paper]; rate and length [ours]."""
    return MosTraining(epochs=50, learning_rate=5e-5, mos_share=[0.3, 0.7], **_every_stage())


def mos_stage() -> MosTraining:
    """Stage 3: rated clips alone, 0.9 : 0.1, learning rate 1e-5 [paper], until 20 epochs bring no better [sheet]."""
    return MosTraining(
        epochs=100, patience=20, learning_rate=1e-5, mos_share=[0.9, 0.9], rated_only=True, **_every_stage()
    )


def _every_stage() -> dict:
    """Cosine annealing and clipping at 1.0 [paper], batches of 16 and an encoder's rate of 2e-5 [sheet, UTMOS]."""
    return {
        "schedule": "cosine",
        "gradient_clip": 1.0,
        "batch_size": 16,
        "micro_batch_size": 16,
        "encoder_learning_rate": 2e-5,
    }
