"""Where the model runs and in which precision."""

from contextlib import AbstractContextManager, nullcontext

import torch

from merit.errors import MeritError
from merit.precision import Precision, ResolvedPrecision


def default_device() -> torch.device:
    """The first GPU, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def usable_device(device: str | torch.device | None) -> torch.device:
    """The device of this name; the default one for None and ``auto``.

    Raises:
        MeritError: when it cannot be used here.
    """
    if device in (None, "auto"):
        return default_device()
    try:
        return torch.zeros(1, device=device).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise MeritError(f"device {device}: cannot be used here ({reason}); try auto, cpu, cuda or cuda:0") from error


def has_fast_bfloat16(device: torch.device) -> bool:
    """True where 16-bit products run faster than 32-bit ones: GPUs since Ampere, CPUs with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()


def resolve_precision(precision: Precision, device: torch.device) -> ResolvedPrecision:
    """``auto`` becomes bfloat16 where it is fast, else float32; anything else stays."""
    if precision != "auto":
        return precision
    return "bfloat16" if has_fast_bfloat16(device) else "float32"


def forbid_tf32(precision: ResolvedPrecision) -> None:
    """Have cuDNN compute float32 as such when that is the precision; by default it rounds to TF32's 10 bits.

    In 16 bits TF32 is left on for what is computed in float32 beside them, the recurrent layers above all.
    """
    torch.backends.cudnn.allow_tf32 = precision != "float32"


def precision_of_use(
    precision: Precision, trained: ResolvedPrecision | None, device: torch.device
) -> ResolvedPrecision:
    """What a trained model is used in: ``auto`` becomes the precision of its training; anything else stays.

    In another precision it can be another model, so that of the training goes before a fast one. Where the device has
    none of it, float32 is nearest; a model that does not say is used as :func:`resolve_precision` has it.
    """
    if precision != "auto" or trained is None:
        return resolve_precision(precision, device)
    possible = {"cuda": ("float32", "bfloat16", "float16"), "cpu": ("float32", "bfloat16")}
    return trained if trained in possible.get(device.type, ()) else "float32"


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager:
    """Autocast context of a precision; for float32 none, and no TF32 in its place."""
    resolved = resolve_precision(precision, device)
    forbid_tf32(resolved)
    return nullcontext() if resolved == "float32" else torch.autocast(device.type, getattr(torch, resolved))


def compute_dtype(values: torch.Tensor) -> torch.dtype:
    """The type in which matrix products of ``values`` are computed here: autocast's where it is on, else their own."""
    device = values.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else values.dtype
