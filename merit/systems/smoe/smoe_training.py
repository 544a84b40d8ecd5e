"""Options of the training."""

from dataclasses import dataclass
from typing import Literal

from merit.errors import MeritError
from merit.training.config import TrainingConfig


@dataclass
class SmoeTraining(TrainingConfig):
    """How S-MoE is trained: defaults of fairseq's recipes where the paper is silent.

    Each optimiser step is of one task; the two alternate.

    Attributes:
        keep: ``last``, with ``average``, keeps the mean of the last epochs.
        label_smoothing: share of the target's probability that is spread over the vocabulary.
        ctc_weight: factor of a CTC loss of the encoder against the transcript, for both tasks; the others' is one less
            it. It needs ``model.ctc``.
        balance_weight: factor of the balancing loss of learned gates (Fedus et al. 2022).
        spec_augment: mask bins and frames of the features in training.
        corrupt_bandwidth: share of the training utterances whose bandwidth is taken for the other one.
        corrupt_task: share of the training texts that stand under the tags of the other task.

    Raises:
        MeritError: when a share or weight is not between 0 and 1, or tasks are to be combined in one step.
    """

    keep: Literal["best", "last"] = "last"
    average: int = 10
    learning_rate: float = 1e-3
    schedule: Literal["constant", "linear", "inverse_square_root", "cosine"] = "inverse_square_root"
    warmup_steps: int = 10000
    weight_decay: float = 0.0
    adam_beta2: float = 0.98
    gradient_clip: float | None = 10.0
    batch_seconds: float | None = 3200.0
    micro_batch_seconds: float | None = 400.0
    label_smoothing: float = 0.1
    ctc_weight: float = 0.0
    balance_weight: float = 0.01
    spec_augment: bool = True
    corrupt_bandwidth: float = 0.0
    corrupt_task: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("label_smoothing", "ctc_weight", "balance_weight", "corrupt_bandwidth", "corrupt_task"):
            if not 0 <= getattr(self, name) <= 1:
                raise MeritError(f"training.{name} is {getattr(self, name)}; expected a number from 0 to 1")
        if self.combine != "sum":
            raise MeritError(f"training.combine is {self.combine}; a step is of one task here, set it to sum")
