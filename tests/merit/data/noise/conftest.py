import numpy as np
import pytest
from made_audio import write
from scipy.signal import lfilter

from merit.data.datadir import write_data_directory


@pytest.fixture
def recipe(tmp_path):
    """Four utterances, one at 44.1 kHz in stereo and one loud, and a noise corpus with short and long files."""
    generator = np.random.default_rng(0)
    speech = tmp_path / "corpus"
    wav = {
        "a-1": write(speech / "a-1.wav", 0.05 * lfilter([1], [1, -0.9], generator.standard_normal(6000))),
        "a-2": write(speech / "a-2.flac", 0.05 * generator.standard_normal(3000)),
        "b-1": write(speech / "b-1.wav", 0.05 * generator.standard_normal((8820, 2)), 44100),
        "b-2": write(speech / "b-2.flac", 0.24 * generator.standard_normal(5000)),
    }
    noise = tmp_path / "hum"
    for number, length in enumerate([1000, 2000, 9000, 12000]):
        write(noise / f"{number}.wav", 0.1 * generator.standard_normal(length))
    speakers = {name: name[0] for name in wav}
    emotions = {"a-1": "anger", "a-2": "joy", "b-1": "anger", "b-2": "joy"}
    durations, genders = dict.fromkeys(wav, 1), dict.fromkeys(wav, "f")
    write_data_directory(tmp_path / "data" / "test", wav, speakers, emotions, durations, utt2gender=genders)
    return tmp_path
