import numpy as np
import pytest
import soundfile
from made_audio import write
from made_mixing import make_mixing, make_online_set

from merit.data.datadir import read_table, write_table
from merit.data.noise.online.mixer import draw_mixture
from merit.data.noise.online.online_speech import OnlineSpeech
from merit.errors import MeritError


@pytest.fixture
def directory(corpus, tmp_path):
    return make_online_set(corpus["train"], tmp_path)


def test_an_utterance_is_mixed_with_its_speaker_kept_out(directory, tmp_path):
    speech, mixing = OnlineSpeech(directory), make_mixing(tmp_path)
    speakers = read_table(directory / "utt2spk")
    for utterance, entry in read_table(directory / "wav.scp").items():
        samples = soundfile.read(entry, dtype="float32")[0]
        expected = draw_mixture(mixing, utterance, speakers[utterance], samples, 2).mixture
        np.testing.assert_array_equal(speech.draw(utterance, 2).mixture.noisy, expected.noisy)
        np.testing.assert_array_equal(speech.draw(utterance, 2).mixture.clean, expected.clean)


def test_the_digest_knows_all_that_is_heard(directory, tmp_path):
    first = OnlineSpeech(directory).digest()
    assert OnlineSpeech(directory).digest() == first
    found = {first}
    for file in ("hum/0.wav", "talk/b1.wav", "rooms/2.wav"):
        write(tmp_path / file, np.full(5001 + len(found), 0.1))
        found.add(OnlineSpeech(directory).digest())
    write_table(directory / "utt2spk", read_table(directory / "utt2spk") | {"train000": "d"})
    found.add(OnlineSpeech(directory).digest())
    path = directory / "mixing.json"
    path.write_text(path.read_text().replace('"-5:15"', '"-5:10"'))
    found.add(OnlineSpeech(directory).digest())
    assert len(found) == 6
    (tmp_path / "hum/1.wav").unlink()
    with pytest.raises(MeritError, match="hum/1.wav: not there any more; restore it, or run the noise mixing again"):
        OnlineSpeech(directory).digest()


def test_what_cannot_be_mixed_is_named(directory, tmp_path):
    short = write(tmp_path / "short.wav", np.full(399, 0.1))
    write_table(directory / "wav.scp", read_table(directory / "wav.scp") | {"train001": short})
    with pytest.raises(
        MeritError, match="train001: .*short.wav: 399 samples at 16 kHz, and one encoder frame needs 400"
    ):
        OnlineSpeech(directory).draw("train001", 0)
    speakers = read_table(directory / "utt2spk")
    del speakers["train003"]
    write_table(directory / "utt2spk", speakers)
    with pytest.raises(MeritError, match="utt2spk: no line for utterance train003"):
        OnlineSpeech(directory)
