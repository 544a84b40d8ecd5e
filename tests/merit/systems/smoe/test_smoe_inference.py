"""A model for people: any rate, any length, many files."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from merit.data.audio import write_audio
from merit.data.bandwidth import narrow_band
from merit.errors import MeritError
from merit.systems.smoe.log_mel_features import log_mel
from merit.systems.smoe.smoe_inference import Smoe


@pytest.fixture
def smoe(speech_model_directory):
    return Smoe.from_pretrained(speech_model_directory, device="cpu", beam=1, piece_seconds=2.0)


def text_of(smoe, samples, task, bandwidth):
    (found,) = smoe.recogniser.texts([log_mel(samples, "u")], [bandwidth], task)
    return smoe.recogniser.vocabulary.decode(found.tokens)


def test_a_short_signal_is_what_the_model_says_of_it(smoe, make_speech):
    samples = make_speech(1.0)
    assert smoe.transcribe(samples, 16000) == text_of(smoe, samples, "transcribe", 0)
    assert smoe.translate(samples, 16000, "fr", "narrow") == text_of(smoe, samples, "translate", 1)


def test_the_bandwidth_is_heard_unless_it_is_said(smoe, make_speech, monkeypatch):
    asked = []
    texts = type(smoe.recogniser).texts
    monkeypatch.setattr(
        type(smoe.recogniser), "texts", lambda self, f, b, task: asked.append(b) or texts(self, f, b, task)
    )
    wide = make_speech(1.0)
    narrow = narrow_band(wide)
    for samples, bandwidth in ((wide, None), (narrow, None), (wide, "narrow")):
        smoe.transcribe(samples, 16000, bandwidth)
    smoe.transcribe(resample_poly(wide, 1, 2), 8000)
    assert asked == [[0], [1], [1], [1]]


def test_a_long_signal_is_cut_at_its_pauses(smoe, make_speech):
    first, second = make_speech(1.2, 1), make_speech(1.5, 2)
    pause = np.zeros(3200, np.float32)  # as long as what is looked for, so that it is cut in the middle
    found = smoe.transcribe(np.concatenate([first, pause, second]), 16000, "wide")
    half = pause[:1600]
    parts = [np.concatenate([first, half]), np.concatenate([half, second])]
    assert found == " ".join(text_of(smoe, part, "transcribe", 0) for part in parts)


def test_files_come_in_order_and_bad_ones_with_their_error(smoe, make_speech, tmp_path):
    paths = [tmp_path / name for name in ("b.flac", "gone.wav", "a.flac", "short.wav")]
    for path, seconds in zip((paths[0], paths[2], paths[3]), (1.0, 0.6, 0.02)):
        write_audio(path, make_speech(seconds))
    found = list(smoe.files(paths, "translate"))
    assert [path for path, _ in found] == paths
    assert [isinstance(text, MeritError) for _, text in found] == [False, True, False, True]
    assert "gone.wav" in str(found[1][1]) and "too short" in str(found[3][1])


def test_what_the_model_has_not_learnt_is_refused(smoe, speech_model_directory):
    with pytest.raises(MeritError, match="translates into fr, not into 'de'; give --to fr"):
        smoe.translate(np.zeros(16000, np.float32), 16000, "de")
    with pytest.raises(MeritError, match="bandwidth 'telephone': expected wide or narrow"):
        smoe.transcribe(np.ones(16000, np.float32), 16000, "telephone")
    with pytest.raises(MeritError, match="piece_seconds is 0.5; expected at least 1"):
        Smoe.from_pretrained(speech_model_directory, piece_seconds=0.5)
    assert smoe.languages == {"transcribe": "en", "translate": "fr"}
