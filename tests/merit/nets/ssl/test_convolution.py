"""Convolutions that a processor computes wrongly in 16 bits, made wrong here on purpose, so on any processor."""

import logging

import pytest
import torch
from test_wav2vec2 import test_bfloat16_autocast_stays_near_float32_on_a_padded_batch as stays_near_float32
from torch import nn
from torch.nn import functional

from merit.nets.ssl import convolution as module
from merit.nets.ssl import load_encoder
from merit.nets.ssl.convolution import agrees_with_float32, convolve

POSITIONAL = {"kernel_size": 16, "padding": 8, "groups": 4}


class WrongGradient(torch.autograd.Function):
    """The identity, whose gradient has the wrong sign."""

    @staticmethod
    def forward(ctx, value):
        return value.view_as(value)

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


@pytest.fixture
def faulty(monkeypatch):
    """Function that makes the 16-bit convolutions wrong for which ``chosen(weight)`` is true, as AMX does with some."""

    def make(chosen, wrong=lambda output: output.roll(1, -1)):
        for name in ("conv1d", "conv2d"):
            right = getattr(functional, name)

            def convolution(signal, weight, *arguments, right=right, **options):
                output = right(signal, weight, *arguments, **options)
                return wrong(output) if output.dtype.itemsize == 2 and chosen(weight) else output

            monkeypatch.setattr(functional, name, convolution)

    return make


def narrow_groups(weight):
    return weight.shape[1] < 16 and weight.shape[-1] == 16


def first_of_the_front_end(weight):
    return weight.shape[-1] == 10


@pytest.mark.parametrize("kind", ["wavlm-large", "wav2vec2-base"])
@pytest.mark.parametrize("chosen", [narrow_groups, first_of_the_front_end])
def test_states_stay_near_float32_where_convolutions_are_wrong(kind, chosen, model_directory, batch, faulty):
    faulty(chosen)
    stays_near_float32(kind, model_directory, batch)


def test_whisper_and_data2vec_are_checked_as_well(model_directory, batch, faulty):
    for kind in ("whisper", "data2vec-audio"):
        path = model_directory(kind)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            right = load_encoder(path).eval()(*batch)[0]
            faulty(lambda weight: True)
            states = load_encoder(path).eval()(*batch)[0]
        assert (states - right)[0].float().norm() / right[0].float().norm() < 0.05


def test_only_what_is_wrong_computes_in_float32_and_that_is_said_once(
    model_directory, batch, faulty, monkeypatch, caplog
):
    tried, in_float32 = [], set()
    agrees = module.agrees_with_float32
    monkeypatch.setattr(module, "agrees_with_float32", lambda *given: tried.append(given[0]) or agrees(*given))
    faulty(narrow_groups)
    encoder = load_encoder(model_directory("wavlm-large")).eval()
    for name, part in encoder.named_modules():
        if isinstance(part, nn.Conv1d):
            part.register_forward_hook(
                lambda module, _, output, name=name: in_float32.add(name) if output.dtype == torch.float32 else None
            )
    with caplog.at_level(logging.WARNING), torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        encoder(*batch)
        in_float32.clear()  # the check computes everything in both
        encoder(*batch)
    assert in_float32 == {"model.encoder.pos_conv_embed.conv"}
    assert len(tried) == 8  # seven of the front end, one of the positions, each once
    assert len(caplog.messages) == 1
    assert "computed in float32, since torch.bfloat16 is wrong on this processor" in caplog.messages[0]
    assert "Conv1d(32, 32, kernel_size=(16,), stride=(1,), padding=(8,), groups=4)" in caplog.messages[0]


@pytest.mark.parametrize("wrong", [lambda output: output * 1.1, WrongGradient.apply, lambda output: output * torch.nan])
def test_a_wrong_output_gradient_or_nan_is_found(wrong, faulty):
    convolution = nn.Conv1d(32, 32, **POSITIONAL)
    assert agrees_with_float32(convolution, torch.bfloat16)
    faulty(narrow_groups, wrong)
    assert not agrees_with_float32(convolution, torch.bfloat16)


def test_right_convolutions_compute_in_16_bits_and_float32_is_left_alone():
    torch.manual_seed(0)
    convolution, signal = nn.Conv1d(64, 64, kernel_size=3, stride=2), torch.randn(2, 64, 99)
    with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
        assert convolve(convolution, signal).dtype == convolve(convolution, signal, True).dtype == torch.bfloat16
    assert torch.equal(convolve(convolution, signal), convolution(signal))


def test_what_computes_in_float32_gives_float32s_gradients(faulty):
    faulty(narrow_groups)
    convolution = nn.utils.parametrizations.weight_norm(nn.Conv1d(32, 32, **POSITIONAL), dim=2)
    signal = torch.randn(2, 32, 60)
    gradients = []
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            output = convolve(convolution, signal)
        assert output.dtype == (torch.bfloat16 if enabled else torch.float32)
        gradients.append(torch.autograd.grad(output.float().square().sum(), list(convolution.parameters())))
    for exact, found in zip(*gradients):
        assert (found - exact).norm() / exact.norm() < 0.01
