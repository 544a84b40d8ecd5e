"""Options of training Sparse MERIT beside those that every training has."""

from dataclasses import dataclass
from typing import Literal

from merit.training.config import TrainingConfig


@dataclass
class MeritTraining(TrainingConfig):
    """How Sparse MERIT is trained (paper section IV-B).

    Attributes:
        select: what makes an epoch the best on the dev set: ``scores``, F1-macro plus the share of the noisy input's
            L1 that enhancement removes, each for its task; or ``losses``, the weighted sum of both tasks' losses.
            Cross-entropy rises by overconfidence while both tasks still improve.
        crop_seconds: random crops in training, phase 1 only (1.28 s for the enhancement head); null uses whole
            utterances.
        emotion_weight: factor of the cross-entropy in Eq. 11.
        enhancement_weight: factor of the L1 loss in Eq. 11.
        balancing_weight: factor alpha of the load-balancing loss of every gate; 0 leaves it out.
    """

    select: Literal["scores", "losses"] = "scores"
    crop_seconds: float | None = None
    emotion_weight: float = 1.0
    enhancement_weight: float = 1.0
    balancing_weight: float = 0.0
