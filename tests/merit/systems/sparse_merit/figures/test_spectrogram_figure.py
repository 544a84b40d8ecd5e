"""Spectrograms against scipy, colours, and the file that is drawn."""

import numpy as np
import scipy.signal

from merit.systems.sparse_merit.figures.spectrogram_figure import draw_utterance, log_spectrogram, utterance_figure


def test_spectrogram_is_the_magnitude_in_decibels(make_speech):
    samples = make_speech(0.5)
    window = scipy.signal.get_window("hamming", 400)
    spectra = scipy.signal.ShortTimeFFT(window, hop=160, fs=16000).stft(samples.astype(np.float64))
    expected = 20 * np.log10(np.abs(spectra))
    found = log_spectrogram(samples)
    assert found.shape == (201, 51)
    # Away from the ends, where scipy pads with zeros.
    offset = (expected.shape[1] - found.shape[1]) // 2
    assert np.abs(found[:, 5:45] - expected[:, 5 + offset : 45 + offset]).max() < 0.01


def test_silence_can_be_drawn(tmp_path):
    draw_utterance({"noisy": np.zeros(8000, dtype=np.float32)}, {}, tmp_path / "a.png")
    assert np.isfinite(log_spectrogram(np.zeros(8000, dtype=np.float32))).all()


def test_strip_fills_the_row_of_the_strongest_expert():
    weights = np.array([[0.7, 0.0, 0.0], [0.0, 0.0, 0.4], [0.2, 0.5, 0.3]])
    figure = utterance_figure({"noisy": np.zeros(960, dtype=np.float32)}, {"emotion": weights})
    strip = figure.axes[1].images[0].get_array()
    assert (~strip.mask).tolist() == [[True, False, False], [False, False, True], [False, True, False]]
    assert strip.compressed().tolist() == [0.0, 1.0, 2.0]  # each row in the colour of its expert
    assert list(figure.axes[1].images[0].get_extent()) == [0, 0.06, -0.5, 2.5]


def test_spectrograms_share_their_scale_and_the_time():
    generator = np.random.default_rng(0)
    signals = {name: generator.standard_normal(8000).astype(np.float32) for name in ("noisy", "clean")}
    noisy, clean, *_ = utterance_figure(signals, {}, "title").axes
    assert noisy.images[0].get_clim() == clean.images[0].get_clim()
    assert (noisy.get_ylabel(), clean.get_ylabel()) == ("noisy\nkHz", "clean\nkHz")
    assert clean.get_xlim() == (0, 0.5)
