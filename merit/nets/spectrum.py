"""Short-time spectra of padded batches, exact to the end of every utterance.

n_fft 400, hop 160 (25 and 10 ms at 16 kHz), periodic Hamming window, centred frames with reflection at both ends,
201 bins, as in BSSE-SE (Hung et al. 2022).
"""

import torch
from torch import Tensor

N_FFT = 400
HOP = 160
NUM_BINS = N_FFT // 2 + 1


def num_spectrum_frames(samples: Tensor) -> Tensor:
    """Frames of a spectrum of so many samples."""
    return samples // HOP + 1


def _window(like: Tensor) -> Tensor:
    return torch.hamming_window(N_FFT, device=like.device, dtype=like.dtype)


def spectrum(waveform: Tensor, lengths: Tensor) -> Tensor:
    """Complex spectrum (B, F, 201) of zero-padded waveforms (B, S) of ``lengths`` (B,) samples.

    Every utterance is reflected at its own last sample, not at the end of the padding, so it gets the same frames
    in any batch; frames past its end hold no meaning.
    """
    half = N_FFT // 2
    position = torch.arange(-half, waveform.shape[1] + half, device=waveform.device).abs()
    last = lengths.unsqueeze(1) - 1
    reflected = torch.where(position > last, 2 * last - position, position)
    padded = waveform.gather(1, reflected.clamp(0, waveform.shape[1] - 1)) * (reflected >= 0)
    return torch.stft(padded, N_FFT, HOP, window=_window(padded), center=False, return_complex=True).transpose(1, 2)


def log_magnitude(spectra: Tensor) -> Tensor:
    """Compressed magnitude ``log(1 + |X|)``: paper Eq. 9."""
    return torch.log1p(spectra.abs())


def waveform_from_log_magnitude(log_magnitudes: Tensor, noisy: Tensor, length: int) -> Tensor:
    """Waveform (length,) of one utterance from its estimated log1p magnitude (F, 201) and the noisy phase (F, 201)."""
    magnitude = torch.expm1(log_magnitudes)
    spectra = noisy * (magnitude / noisy.abs().clamp_min(torch.finfo(magnitude.dtype).tiny))
    return torch.istft(spectra.transpose(0, 1), N_FFT, HOP, window=_window(magnitude), length=length)


def repeat_to_spectrum(frames: Tensor, frame_lengths: Tensor, num_frames: int) -> Tensor:
    """Bring encoder frames (B, T, D) of 20 ms to the spectrum's 10 ms: (B, num_frames, D).

    Each frame is repeated twice, then the last real one up to the end (1 to 3 frames, since the encoder's last
    window must fit into the signal while the spectrum's frames are centred).
    """
    index = torch.arange(num_frames, device=frames.device).div(2, rounding_mode="floor").unsqueeze(0)
    index = torch.minimum(index, frame_lengths.unsqueeze(1) - 1)
    return frames.gather(1, index.unsqueeze(-1).expand(-1, -1, frames.shape[-1]))
