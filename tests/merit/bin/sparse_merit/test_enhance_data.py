"""Whole data directories enhanced, for methods that are trained on enhanced speech."""

import numpy as np
import pytest
import soundfile

from merit.bin.sparse_merit.enhance_data import enhance_data
from merit.data.audio import write_audio
from merit.data.datadir import read_table, write_data_directory
from merit.errors import MeritError
from merit.systems.sparse_merit.inference import Merit


@pytest.fixture
def noisy(make_speech, tmp_path):
    wav = {f"u{i}": tmp_path / "audio" / f"u{i}.flac" for i in range(3)}
    for i, path in enumerate(wav.values()):
        write_audio(path, make_speech(0.5 + 0.4 * i, i))
    directory = tmp_path / "data/train_babble_10dB"
    write_data_directory(directory, wav, dict.fromkeys(wav, "speaker"), utt2emo=dict.fromkeys(wav, "sad"))
    return directory


def test_the_enhanced_directory_has_the_same_tables_and_enhanced_audio(model_directory, noisy, tmp_path):
    output = tmp_path / "enhanced"
    enhance_data(model_directory, [noisy], output, device="cpu", precision="float32")
    made = output / noisy.name
    assert {path.name for path in noisy.iterdir()} <= {path.name for path in made.iterdir()}
    assert (made / "utt2emo").read_text() == (noisy / "utt2emo").read_text()
    merit = Merit.from_pretrained(model_directory, "cpu", "float32")
    before, after = read_table(noisy / "wav.scp"), read_table(made / "wav.scp")
    assert before.keys() == after.keys()
    for key, path in before.items():
        expected = merit(*soundfile.read(path)).enhanced
        assert np.abs(soundfile.read(after[key])[0] - expected).max() < 0.6 / 32768
        assert not np.array_equal(soundfile.read(path)[0], expected)


def test_a_model_that_does_not_enhance_is_refused(save_model, noisy, tmp_path):
    with pytest.raises(MeritError, match="enhance"):
        enhance_data(save_model(tasks=("emotion",)), [noisy], tmp_path / "enhanced", device="cpu")
    assert not (tmp_path / "enhanced" / noisy.name / "wav.scp").exists()
