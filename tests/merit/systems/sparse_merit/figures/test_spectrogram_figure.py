"""Spectrograms against scipy, colours, and the file that is drawn."""

import matplotlib
import numpy as np
import pytest
import scipy.signal
import soundfile
from matplotlib.image import imread

from merit.bin.sparse_merit.plot_utterance import plot_utterance
from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory, write_table
from merit.errors import MeritError
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


@pytest.fixture
def mixed(tmp_path, make_speech):
    for kind, seed in (("noisy", 0), ("clean", 1)):
        write_audio(tmp_path / f"{kind}.flac", make_speech(1.5, seed))
    directory = tmp_path / "data" / "test_babble_0dB"
    clean = {"utt": tmp_path / "clean.flac"}
    write_data_directory(directory, {"utt": tmp_path / "noisy.flac"}, {"utt": "speaker"}, **{"spk1.scp": clean})
    return directory


def test_figure_shows_every_signal_and_both_tasks(model_directory, mixed, tmp_path, monkeypatch):
    drawn = []
    save = matplotlib.figure.Figure.savefig

    def keep_and_save(figure, *arguments, **options):
        drawn.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep_and_save)
    plot_utterance(model_directory, mixed, "utt", tmp_path / "figure.png", device="cpu")
    assert imread(tmp_path / "figure.png").shape[1] > 1000
    axes = [axis for axis in drawn[0].axes if axis.get_label() != "<colorbar>"]
    labels = [axis.get_ylabel() for axis in axes]
    strips = ["expert for\nemotion", "expert for\nenhancement"]
    assert labels == ["noisy\nkHz", "enhanced\nkHz", "clean\nkHz", *strips]
    assert len({axis.images[0].get_clim() for axis in axes[:3]}) == 1
    assert axes[-1].get_xlim() == (0, 1.5)
    assert [tick.get_text() for tick in axes[-1].get_yticklabels()] == ["0", "1", "2"]


def test_strip_fills_the_row_of_the_strongest_expert():
    weights = np.array([[0.7, 0.0, 0.0], [0.0, 0.0, 0.4], [0.2, 0.5, 0.3]])
    figure = utterance_figure({"noisy": np.zeros(960, dtype=np.float32)}, {"emotion": weights})
    strip = figure.axes[1].images[0].get_array()
    assert (~strip.mask).tolist() == [[True, False, False], [False, False, True], [False, True, False]]
    assert strip.compressed().tolist() == [0.0, 1.0, 2.0]  # each row in the colour of its expert
    assert list(figure.axes[1].images[0].get_extent()) == [0, 0.06, -0.5, 2.5]


def test_unknown_utterance_is_named(model_directory, mixed, tmp_path):
    with pytest.raises(MeritError, match="no noisy utterance other"):
        plot_utterance(model_directory, mixed, "other", tmp_path / "figure.png")


def test_a_result_that_is_not_finite_names_the_file_and_is_not_drawn(model_directory, mixed, make_speech, tmp_path):
    huge = tmp_path / "huge.wav"
    soundfile.write(huge, 1e30 * make_speech(1.5), 16000, subtype="FLOAT")
    write_table(mixed / "wav.scp", {"utt": huge})
    with pytest.raises(MeritError, match=f"utt: {huge}: the model gives NaN"):
        plot_utterance(model_directory, mixed, "utt", tmp_path / "figure.png", device="cpu")
    assert not (tmp_path / "figure.png").exists()


def test_model_that_does_not_enhance_is_refused(save_model, mixed, tmp_path):
    with pytest.raises(MeritError, match="no enhancement head"):
        plot_utterance(save_model(tasks=("emotion",)), mixed, "utt", tmp_path / "figure.png")
