"""What of a model is trained, and in how large steps."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from merit.errors import MeritError
from merit.training.config import TrainingConfig


def freeze(model: nn.Module, names: Sequence[str]) -> None:
    """Keep the parameters of these modules of ``model`` as they are.

    Raises:
        MeritError: when the model has no module of such a name.
    """
    for name in names:
        try:
            module = model.get_submodule(name)
        except AttributeError as error:
            has = ", ".join(child for child, _ in model.named_children())
            raise MeritError(f"training.freeze: the model has no module {name!r}; it has {has}") from error
        module.requires_grad_(False)


def make_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW over the trainable parameters: the encoder's at its own learning rate, the others at the common one."""
    groups: dict[bool, list[torch.Tensor]] = {True: [], False: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[name.startswith("encoder.")].append(parameter)
    rates = {True: config.encoder_learning_rate, False: config.learning_rate}
    return torch.optim.AdamW(
        [{"params": parameters, "lr": rates[in_encoder]} for in_encoder, parameters in groups.items() if parameters],
        weight_decay=config.weight_decay,
        betas=(0.9, config.adam_beta2),
        fused=True,
    )


class LearningRates:
    """Sets the learning rates of an optimiser before each step, by the schedule of a training.

    Args:
        optimizer: as it is made, with the whole rates.
        config: options of the training.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, config: TrainingConfig) -> None:
        self.whole = [group["lr"] for group in optimizer.param_groups]
        self.config = config

    def set(self, optimizer: torch.optim.Optimizer, step: int, progress: float) -> None:
        """Set them for a step; see :func:`learning_rate_factor`."""
        schedule, warmup_steps = self.config.schedule, self.config.warmup_steps
        if schedule == "constant" and not warmup_steps:
            return
        factor = learning_rate_factor(schedule, step, warmup_steps, progress)
        for group, learning_rate in zip(optimizer.param_groups, self.whole):
            group["lr"] = factor * learning_rate


def learning_rate_factor(schedule: str, step: int, warmup_steps: int, progress: float) -> float:
    """Factor of the learning rates in a step of a training.

    A linear rise over ``warmup_steps``, then: ``constant``, 1; ``linear`` and ``cosine``, from 1 to 0 at the end of the
    training; ``inverse_square_root``, ``sqrt(warmup_steps / step)`` (Vaswani et al. 2017).

    Args:
        step: steps that were taken before, from 0.
        warmup_steps: of the rise.
        progress: share of the training that was done before, from 0 to 1.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    if schedule == "linear":
        return 1 - progress
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    if schedule == "inverse_square_root":
        return math.sqrt(max(warmup_steps, 1) / (step + 1))
    return 1.0
