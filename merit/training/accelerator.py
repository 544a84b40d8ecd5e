"""Devices, processes and precision of a training run."""

import os
from pathlib import Path

import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import DistributedDataParallelKwargs, parse_flag_from_env

from merit.device import forbid_tf32, resolve_precision
from merit.errors import MeritError
from merit.training.config import TrainingConfig


def make_accelerator(config: TrainingConfig, output: Path, unused_parameters: bool = False) -> Accelerator:
    """Devices, processes and precision of a run, with TensorBoard under ``output/tensorboard``.

    Under torchrun each process trains on a GPU of its own; with ``ACCELERATE_USE_CPU=true`` all train on the CPU.

    Args:
        config: options of the run.
        output: its directory.
        unused_parameters: in some steps no loss depends on some parameters, as on those of experts that are not
            chosen; processes then agree on them in every step, and leave them without a gradient.

    Raises:
        MeritError: for float16 without a GPU, or when processes were started that cannot share the training.
    """
    # Distributed training that is given devices moves the lengths to them, and the encoder would wait for them there.
    os.environ.setdefault("ACCELERATE_BYPASS_DEVICE_MAP", "true")
    cpu = parse_flag_from_env("ACCELERATE_USE_CPU")
    _require_devices(cpu)
    state = PartialState(cpu=cpu)
    if state.num_processes != (started := int(os.environ.get("WORLD_SIZE", 1))):
        raise MeritError(
            f"{started} processes were started (WORLD_SIZE) and {state.num_processes} would share the training; start "
            "them with torchrun, or unset WORLD_SIZE"
        )
    device = state.device
    precision = resolve_precision(config.precision, device)
    if precision == "float16" and device.type == "cpu":
        raise MeritError("training.precision: float16 is trained on GPUs alone; set it to auto or float32")
    forbid_tf32(precision)
    mixed = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}[precision]
    sharing = [DistributedDataParallelKwargs(find_unused_parameters=True)] if unused_parameters else []
    accelerator = Accelerator(
        mixed_precision=mixed, log_with="tensorboard", project_dir=output, kwargs_handlers=sharing
    )
    accelerator.init_trackers("tensorboard")
    return accelerator


def _require_devices(cpu: bool) -> None:
    """Refuse what would not be one training: processes without a GPU each, unless they were told to use the CPU."""
    processes, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.cuda.device_count()
    if processes > 1 and not cpu and gpus < processes:
        raise MeritError(
            f"{processes} processes were started for {gpus} GPUs; give as many as there are (--ngpu of the recipes, "
            "--nproc_per_node of torchrun), or set ACCELERATE_USE_CPU=true to share the training on the CPU"
        )
