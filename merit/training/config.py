"""Options of a training run."""

from dataclasses import dataclass, field
from typing import Literal

from merit.errors import MeritError
from merit.precision import Precision


@dataclass
class TrainingConfig:
    """How long, how fast and in what batches a model is trained.

    Raises:
        MeritError: when epochs, averaged epochs or a batch size is below 1, the steps of the warm-up are below 0, or
            the seconds of a batch are not above 0.

    Attributes:
        epochs: passes over the training set.
        keep: ``best`` keeps the weights of the epoch that is best on the dev set; ``last`` those of the last epoch,
            for a dev set that is too small to choose an epoch by.
        average: keep the mean of the weights of so many epochs: the best ones on the dev set, or the last.
        patience: stop after so many epochs of which none was the best; null never stops early.
        batch_size: utterances of one optimiser step, over all processes and micro-batches.
        micro_batch_size: utterances computed at once in one process; changes memory and speed, and of the result
            only the draw of dropout and the frames over which a balancing loss takes its means.
        batch_seconds: padded audio of one optimiser step in seconds, in place of batch_size: the longest utterance
            times their number, over all processes and micro-batches. A longer utterance is a step of its own.
        micro_batch_seconds: padded audio computed at once in one process in seconds, in place of micro_batch_size.
        learning_rate: AdamW step size of everything but the encoder.
        encoder_learning_rate: AdamW step size of the encoder's transformer layers.
        schedule: of the learning rates after the warm-up: ``constant``, ``linear`` or ``cosine`` down to 0 at the last
            epoch, or ``inverse_square_root`` of the step.
        warmup_steps: steps in which the learning rates rise from 0.
        weight_decay: AdamW decay.
        adam_beta2: AdamW's decay of the mean square of the gradient.
        freeze: modules of the model, by name, whose parameters stay as they are, as ``[encoder]``.
        gradient_clip: largest norm of the gradient; null leaves it.
        combine: how two tasks share a step: ``sum``, ``uncertainty`` (Kendall et al. 2018),
            ``uncertainty_authors`` (its form in the authors' released code), ``pcgrad`` or ``gradnorm``.
        task_weight_learning_rate: Adam step size of the factors that uncertainty and gradnorm learn; null takes
            ``learning_rate``.
        gradnorm_alpha: how strongly gradnorm evens out the tasks' training rates.
        precision: auto (bfloat16 where it is fast), float32, bfloat16 or float16.
        compile: compile the encoder's layers with torch.compile, once for all lengths.
        gradient_checkpointing: recompute the encoder's activations instead of keeping them.
        workers: processes that read audio.
        checkpoint_minutes: between two saved states inside an epoch; one is saved at the end of each epoch anyway.
    """

    epochs: int = 20
    keep: Literal["best", "last"] = "best"
    average: int = 1
    patience: int | None = None
    batch_size: int = 32
    micro_batch_size: int = 8
    batch_seconds: float | None = None
    micro_batch_seconds: float | None = None
    learning_rate: float = 5e-5
    encoder_learning_rate: float = 2.5e-5
    schedule: Literal["constant", "linear", "inverse_square_root", "cosine"] = "constant"
    warmup_steps: int = 0
    weight_decay: float = 0.01
    adam_beta2: float = 0.999
    freeze: list[str] = field(default_factory=list)
    gradient_clip: float | None = None
    combine: Literal["sum", "uncertainty", "uncertainty_authors", "pcgrad", "gradnorm"] = "sum"
    task_weight_learning_rate: float | None = None
    gradnorm_alpha: float = 1.5
    precision: Precision = "auto"
    compile: bool = False
    gradient_checkpointing: bool = False
    workers: int = 2
    checkpoint_minutes: float = 15.0

    def __post_init__(self) -> None:
        least_values = {"epochs": 1, "average": 1, "batch_size": 1, "micro_batch_size": 1, "warmup_steps": 0}
        for name, least in least_values.items():
            if getattr(self, name) < least:
                raise MeritError(f"training.{name} is {getattr(self, name)}; it must be at least {least}")
        for name in ("batch_seconds", "micro_batch_seconds"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise MeritError(f"training.{name} is {value:g}; it must be above 0, or null to count utterances")
