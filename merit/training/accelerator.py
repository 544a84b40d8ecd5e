"""Devices, precision and optimiser of a training run."""

from pathlib import Path

import torch
from accelerate import Accelerator, PartialState

from merit.device import resolve_precision
from merit.errors import MeritError
from merit.nets.model import MeritModel
from merit.training.config import TrainingConfig


def make_accelerator(config: TrainingConfig, output: Path) -> Accelerator:
    """Devices, processes and precision of a run, with TensorBoard under ``output/tensorboard``.

    Raises:
        MeritError: for float16 without a GPU.
    """
    device = PartialState().device
    precision = resolve_precision(config.precision, device)
    if precision == "float16" and device.type == "cpu":
        raise MeritError("training.precision: float16 is trained on GPUs alone; set it to auto or float32")
    mixed = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}[precision]
    accelerator = Accelerator(mixed_precision=mixed, log_with="tensorboard", project_dir=output)
    accelerator.init_trackers("tensorboard")
    return accelerator


def make_optimizer(model: MeritModel, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW over the trainable parameters: the encoder's at its own learning rate, the others at the common one."""
    groups: dict[bool, list[torch.Tensor]] = {True: [], False: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[name.startswith("encoder.")].append(parameter)
    rates = {True: config.encoder_learning_rate, False: config.learning_rate}
    return torch.optim.AdamW(
        [{"params": params, "lr": rates[of_encoder]} for of_encoder, params in groups.items() if params],
        weight_decay=config.weight_decay,
        fused=True,
    )
