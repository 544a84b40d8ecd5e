"""The command that draws one utterance with a trained model."""

import matplotlib
import pytest
import soundfile
from matplotlib.image import imread

from merit.bin.sparse_merit.plot_utterance import plot_utterance
from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory, write_table
from merit.errors import MeritError


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
