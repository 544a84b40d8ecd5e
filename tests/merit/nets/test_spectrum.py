"""Spectra against numpy's transform of frames cut by hand."""

import numpy as np
import pytest
import scipy.signal
import torch

from merit.nets.spectrum import (
    log_magnitude,
    num_spectrum_frames,
    repeat_to_spectrum,
    spectrum,
    waveform_from_log_magnitude,
)


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
