"""Convolutions of an encoder, in 16 bits only where the processor computes them rightly.

oneDNN's bfloat16 convolutions are wrong for some shapes on some processors: with AMX, grouped ones of fewer than 16
channels a group are off by as much as their output (pytorch issues 163347 and 169688 are of the same family). So on a
CPU each convolution of a model is tried once before its first use in 16 bits, and one that fails computes in float32.
"""

import logging
from collections.abc import Callable
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional

from merit.device import compute_dtype

logger = logging.getLogger(__name__)

TOLERANCE = 0.05
"""Largest error in the check, relative to float32's result. Rounding to bfloat16 makes about 0.003, faults about 1."""

CHECK_FRAMES = 50
"""Output frames of the check."""

_tried: WeakKeyDictionary[nn.Conv1d, dict[torch.dtype, bool]] = WeakKeyDictionary()


def convolve(convolution: nn.Conv1d, signal: Tensor, channels_last: bool = False) -> Tensor:
    """A convolution over time: (B, C, T) -> (B, C', T'); ``channels_last`` is the order in memory it computes in.

    Under autocast it computes in 16 bits where that is right, see :func:`agrees_with_float32`.
    """

    def compute(values: Tensor) -> Tensor:
        return _convolve(convolution, values, channels_last)

    return in_right_precision(convolution, compute, signal)


def _convolve(convolution: nn.Conv1d, signal: Tensor, channels_last: bool) -> Tensor:
    if not channels_last:
        return convolution(signal)
    weight, stride = convolution.weight.unsqueeze(2), (1, convolution.stride[0])
    return functional.conv2d(signal.unsqueeze(2), weight, convolution.bias, stride).squeeze(2)


def in_right_precision(convolution: nn.Conv1d, compute: Callable[[Tensor], Tensor], signal: Tensor) -> Tensor:
    """``compute(signal)``, which convolves, in autocast's precision or, where that is wrong, in float32."""
    dtype = compute_dtype(signal)
    if signal.device.type != "cpu" or dtype.itemsize != 2:
        return compute(signal)
    known = _tried.setdefault(convolution, {})
    if dtype not in known:
        known[dtype] = agrees_with_float32(convolution, dtype)
        if not known[dtype]:
            sizes = convolution.extra_repr()
            logger.warning("computed in float32, since %s is wrong on this processor: Conv1d(%s)", dtype, sizes)
    if known[dtype]:
        return compute(signal)
    with torch.autocast("cpu", enabled=False):
        return compute(signal.float()).to(dtype)


def agrees_with_float32(convolution: nn.Conv1d, dtype: torch.dtype) -> bool:
    """Whether output and gradients of a convolution on the CPU in a 16-bit type are those of float32, up to rounding.

    It is tried on noise, with its own weights, in both orders in memory that :func:`convolve` knows.
    """
    generator = torch.Generator().manual_seed(0)
    frames = (CHECK_FRAMES - 1) * convolution.stride[0] + convolution.dilation[0] * (convolution.kernel_size[0] - 1) + 1
    orders = (False, True) if convolution.groups == 1 and convolution.padding == (0,) else (False,)
    with torch.inference_mode(False), torch.enable_grad():
        signal = torch.randn(1, convolution.in_channels, frames, generator=generator).requires_grad_()
        gradient = None
        results = []
        for enabled in (False, True):
            with torch.autocast("cpu", dtype, enabled=enabled, cache_enabled=False):
                outputs = [_convolve(convolution, signal, order).float() for order in orders]
            if gradient is None:
                gradient = torch.randn(outputs[0].shape, generator=generator)
            inputs = [signal, *(value for value in convolution.parameters() if value.requires_grad)]
            for output in outputs:
                results.append([output.detach(), *torch.autograd.grad(output, inputs, gradient)])
    expected, found = results[: len(orders)], results[len(orders) :]
    pairs = [pair for order in zip(expected, found, strict=True) for pair in zip(*order, strict=True)]
    return all(_error(value, reference) < TOLERANCE for reference, value in pairs)


def _error(value: Tensor, reference: Tensor) -> float:
    """Norm of the difference relative to that of the reference; NaN for values that are not finite."""
    return float((value.float() - reference.float()).norm() / reference.float().norm().clamp_min(1e-30))
