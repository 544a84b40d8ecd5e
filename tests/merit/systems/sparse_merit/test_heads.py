"""Pooling, heads, weighted sum and spectra against their formulas and scipy."""

import numpy as np
import pytest
import scipy.signal
import torch

from merit.nets.masks import length_mask
from merit.nets.pooling import AttentiveStatisticsPooling
from merit.nets.spectrum import (
    log_magnitude,
    num_spectrum_frames,
    repeat_to_spectrum,
    spectrum,
    waveform_from_log_magnitude,
)
from merit.nets.weighted_sum import WeightedSum
from merit.systems.sparse_merit.heads import EmotionHead, EnhancementHead


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameter_counts_at_the_papers_sizes():
    head = EmotionHead(1024, 4)
    assert count(head.pooling) == 1_050_624
    assert count(head.classifier) == 2_104_324
    assert count(EnhancementHead(1024)) == 2_995_145


def test_pooling_follows_okabe_et_al():
    pooling = AttentiveStatisticsPooling(5)
    frames = torch.randn(2, 6, 5)
    lengths = torch.tensor([6, 3])
    pooled = pooling(frames, length_mask(lengths, 6)).detach().numpy()
    weight, bias = (parameter.detach().double().numpy() for parameter in pooling.projection.parameters())
    v = pooling.attention.detach().double().numpy()
    for b, length in enumerate(lengths.tolist()):
        h = frames[b, :length].double().numpy()
        score = np.tanh(h @ weight.T + bias) @ v
        alpha = np.exp(score) / np.exp(score).sum()
        mean = alpha @ h
        deviation = np.sqrt(alpha @ (h - mean) ** 2)
        np.testing.assert_allclose(pooled[b], np.concatenate([mean, deviation]), rtol=1e-4, atol=1e-5)


def test_scores_of_the_pooling_are_float32_under_autocast():
    """Two frames whose scores differ by less than bfloat16 tells apart must not weigh the same."""
    pooling = AttentiveStatisticsPooling(64)
    frames = torch.randn(1, 200, 64)
    weights = []
    softmax = torch.softmax

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "softmax", lambda scores, dim: weights.append(scores) or softmax(scores, dim=dim))
        with torch.autocast("cpu", torch.bfloat16):
            projected = torch.tanh(pooling.projection(frames))
            pooling(frames, torch.ones(1, 200, dtype=torch.bool))
    expected = projected.double() @ pooling.attention.double()
    assert weights[0].dtype == torch.float32
    torch.testing.assert_close(weights[0].double(), expected, rtol=0, atol=1e-5)


def test_pooling_of_one_frame_has_no_nan_gradient():
    pooling = AttentiveStatisticsPooling(5)
    frames = torch.randn(1, 1, 5, requires_grad=True)
    pooling(frames, torch.ones(1, 1, dtype=torch.bool)).sum().backward()
    assert torch.isfinite(frames.grad).all()


@pytest.mark.parametrize("layer_norm", [True, False])
def test_weighted_sum_is_a_convex_combination_of_normalised_layers(layer_norm):
    front_end = WeightedSum(4, 6, ["emotion"], layer_norm=layer_norm)
    for parameter in front_end.parameters():
        torch.nn.init.normal_(parameter)
    states = torch.randn(2, 5, 4, 6)
    mask = length_mask(torch.tensor([5, 2]), 5)
    z, routing = front_end(states, mask)
    share = np.exp(front_end.layer_logits.detach().double().numpy())
    share /= share.sum()
    h = states.double().numpy()
    if layer_norm:
        h = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-5)
        h = h * front_end.norm.weight.detach().numpy() + front_end.norm.bias.detach().numpy()
    expected = np.einsum("l,btld->btd", share, h) * mask.numpy()[..., None]
    np.testing.assert_allclose(z["emotion"].detach().numpy(), expected, atol=1e-5)
    assert routing == []


@pytest.mark.parametrize("samples", [400, 401, 799, 16000, 16079])
def test_spectrum_equals_scipy_in_any_batch(samples):
    generator = np.random.default_rng(samples)
    signal = generator.standard_normal(samples).astype(np.float32)
    batch = torch.zeros(2, 17000)
    batch[0, :samples] = torch.from_numpy(signal)
    batch[1] = torch.randn(17000)
    lengths = torch.tensor([samples, 17000])
    frames = int(num_spectrum_frames(lengths)[0])
    window = scipy.signal.get_window("hamming", 400, fftbins=True)
    padded = np.pad(signal.astype(np.float64), 200, mode="reflect")
    expected = np.stack([np.fft.rfft(window * padded[160 * k : 160 * k + 400]) for k in range(frames)])
    assert frames == samples // 160 + 1
    np.testing.assert_allclose(spectrum(batch, lengths)[0, :frames].numpy(), expected, atol=2e-3)


def test_mask_of_one_gives_the_waveform_back():
    signal = torch.randn(5000)
    spectra = spectrum(signal.unsqueeze(0), torch.tensor([5000]))[0]
    back = waveform_from_log_magnitude(log_magnitude(spectra), spectra, 5000)
    torch.testing.assert_close(back, signal, atol=1e-4, rtol=1e-4)


def test_silence_stays_silence():
    spectra = spectrum(torch.zeros(1, 5000), torch.tensor([5000]))[0]
    assert waveform_from_log_magnitude(log_magnitude(spectra), spectra, 5000).abs().max() == 0


@pytest.mark.parametrize("samples", [400, 719, 720, 16000, 20480, 31999])
def test_frames_meet_the_spectrum(samples):
    """Every 20 ms frame stands for two spectrum frames, the last one for 1 to 3 more."""
    length = (samples - 400) // 320 + 1
    frames = torch.arange(length, dtype=torch.float32).reshape(1, length, 1)
    spectrum_frames = samples // 160 + 1
    repeated = repeat_to_spectrum(frames, torch.tensor([length]), spectrum_frames).flatten().tolist()
    assert repeated[: 2 * length] == [float(k // 2) for k in range(2 * length)]
    rest = repeated[2 * length :]
    assert 1 <= len(rest) <= 3 and set(rest) == {float(length - 1)}


def test_enhancement_does_not_depend_on_the_batch():
    head = EnhancementHead(8, hidden_size=16).eval()
    lengths = torch.tensor([4000, 2500])
    frame_lengths = (lengths - 400) // 320 + 1
    frames, waveform = torch.randn(2, int(frame_lengths[0]), 8), torch.randn(2, 4000)
    waveform[1, 2500:] = 0
    estimate, noisy = head(frames, frame_lengths, waveform, lengths)
    alone, _ = head(frames[1:, : int(frame_lengths[1])], frame_lengths[1:], waveform[1:, :2500], lengths[1:])
    inside = int(num_spectrum_frames(lengths)[1])
    torch.testing.assert_close(estimate[1, :inside], alone[0], atol=1e-6, rtol=1e-5)
    assert estimate[1, inside:].abs().sum() == 0
    # The mask lies between 0 and 1 in the log1p domain.
    assert (estimate <= log_magnitude(noisy) + 1e-6).all() and (estimate >= 0).all()


def test_directions_of_the_blstm_are_summed():
    head = EnhancementHead(3, hidden_size=4).eval()
    waveform, lengths = torch.randn(1, 1600), torch.tensor([1600])
    frames, frame_lengths = torch.randn(1, 4, 3), torch.tensor([4])
    estimate, noisy = head(frames, frame_lengths, waveform, lengths)
    magnitude = log_magnitude(noisy)
    z = repeat_to_spectrum(frames, frame_lengths, magnitude.shape[1])
    hidden = head.blstm(head.projection(torch.cat([magnitude, z], dim=-1)), torch.tensor([magnitude.shape[1]]))
    mask = torch.sigmoid(head.output(hidden[..., :4] + hidden[..., 4:]))
    torch.testing.assert_close(estimate, mask * magnitude)
