"""The heads: their sizes, and enhancement that does not depend on the batch."""

import torch

from merit.nets.spectrum import (
    log_magnitude,
    num_spectrum_frames,
    repeat_to_spectrum,
)
from merit.systems.sparse_merit.heads import EmotionHead, EnhancementHead


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameter_counts_at_the_papers_sizes():
    head = EmotionHead(1024, 4)
    assert count(head.pooling) == 1_050_624
    assert count(head.classifier) == 2_104_324
    assert count(EnhancementHead(1024)) == 2_995_145


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
