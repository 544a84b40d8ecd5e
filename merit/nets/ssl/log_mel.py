"""Whisper's input: log-mel spectra, here of padded batches of any length instead of 30 s pieces."""

import torch
from torch import Tensor

from merit.nets.masks import length_mask
from merit.time_grid import SAMPLE_RATE

N_FFT = 400
HOP = 160

NOMINAL_LEVEL = 0.06
"""Root mean square, relative to full scale, that a waveform of standard deviation 1 is scaled to before the log-mel.

Waveforms come normalised by corpus statistics, while Whisper heard recordings at their own level. 0.06 (-24 dB) is
where recorded speech commonly lies; the log-mel's offset, not its shape, depends on it.
"""


def mel_filters(num_bins: int) -> Tensor:
    """Slaney-style mel filters (201, num_bins) from 0 to 8000 Hz, as in Whisper's feature extractor."""
    from transformers.audio_utils import mel_filter_bank

    filters = mel_filter_bank(
        num_frequency_bins=N_FFT // 2 + 1,
        num_mel_filters=num_bins,
        min_frequency=0.0,
        max_frequency=8000.0,
        sampling_rate=SAMPLE_RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return torch.from_numpy(filters).float()


def log_mel(waveform: Tensor, lengths: Tensor, filters: Tensor) -> tuple[Tensor, Tensor]:
    """Whisper's log-mel spectrum of a padded batch (Radford et al. 2022, section 2.2).

    Frames are those that Whisper's feature extractor gives for the utterance followed by silence, up to the
    utterance's end: 25 ms every 10 ms, log10 of the mel power, not more than 8 below its maximum, (x + 4) / 4.

    Args:
        waveform: (B, S) at 16 kHz, standard deviation 1.
        lengths: (B,) samples.
        filters: (201, M) from :func:`mel_filters`.

    Returns:
        (B, M, F) with F = S // 160, zero beyond each utterance's frames, and the frames (B,) of each.
    """
    num_frames = waveform.shape[1] // HOP
    # Half precision would lose the quiet bands.
    with torch.autocast(waveform.device.type, enabled=False):
        waveform = waveform.float() * NOMINAL_LEVEL
        waveform = waveform.masked_fill(~length_mask(lengths, waveform.shape[1]), 0)
        # Silence after the longest utterance too, so that none is reflected at its end.
        waveform = torch.nn.functional.pad(waveform, (0, N_FFT))
        window = torch.hann_window(N_FFT, device=waveform.device)
        spectra = torch.stft(waveform, N_FFT, HOP, window=window, return_complex=True)
        power = spectra[..., :num_frames].abs().square()
        mel = torch.clamp(filters.T @ power, min=1e-10).log10()
    frame_lengths = lengths // HOP
    padding = ~length_mask(frame_lengths, num_frames).unsqueeze(1)
    maximum = mel.masked_fill(padding, -torch.inf).amax(dim=(1, 2), keepdim=True)
    mel = (torch.maximum(mel, maximum - 8.0) + 4.0) / 4.0
    return mel.masked_fill(padding, 0), frame_lengths
