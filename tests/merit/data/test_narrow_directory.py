import numpy as np
import pytest
import soundfile

from merit.data.audio import read_audio
from merit.data.bandwidth import detect_bandwidth, narrow_band
from merit.data.datadir import problems_in, read_table, write_data_directory, write_table
from merit.data.narrow_directory import copy_narrow
from merit.errors import MeritError


@pytest.fixture
def wide(tmp_path):
    """Two utterances of noise with texts in two languages."""
    generator = np.random.default_rng(0)
    wav = {}
    for name in ("a-1", "b-1"):
        wav[name] = str(tmp_path / f"{name}.wav")
        soundfile.write(wav[name], generator.standard_normal(4001) / 10, 16000)
    write_data_directory(
        tmp_path / "data",
        wav,
        {name: name[0] for name in wav},
        utt2dur={name: 0.25 for name in wav},
        utt2bw=dict.fromkeys(wav, "wide"),
        **{"text.en": {name: f"the {name}" for name in wav}, "text.fr": {name: f"le {name}" for name in wav}},
    )
    return tmp_path / "data"


@pytest.mark.parametrize("codec", ["resample", "mu_law"])
def test_a_copy_is_the_same_speech_and_texts_in_narrow_band(wide, tmp_path, codec):
    copy = tmp_path / "data_narrow"
    copy_narrow(wide, copy, tmp_path / "audio", codec)
    assert problems_in(copy, audio=True) == []
    assert read_table(copy / "text.fr") == {"a-1-narrow": "le a-1", "b-1-narrow": "le b-1"}
    assert set(read_table(copy / "utt2bw").values()) == {"narrow"}
    assert list(read_table(copy / "spk2utt")) == ["a-narrow", "b-narrow"]
    assert read_table(copy / "utt2dur") == {"a-1-narrow": "0.25", "b-1-narrow": "0.25"}
    heard = read_audio(read_table(copy / "wav.scp")["a-1-narrow"], "u")
    expected = narrow_band(read_audio(read_table(wide / "wav.scp")["a-1"], "u"), codec)
    np.testing.assert_allclose(heard, expected, atol=1 / 32768)
    assert detect_bandwidth(heard) == "narrow"


def test_audio_that_is_there_stays_unless_what_it_is_made_of_is_newer(wide, tmp_path):
    copy_narrow(wide, tmp_path / "copy", tmp_path / "audio")
    file = tmp_path / "audio/a-1-narrow.flac"
    before = file.stat().st_mtime_ns
    copy_narrow(wide, tmp_path / "copy", tmp_path / "audio")
    assert file.stat().st_mtime_ns == before
    soundfile.write(read_table(wide / "wav.scp")["a-1"], np.zeros(4001), 16000)
    copy_narrow(wide, tmp_path / "copy", tmp_path / "audio")
    assert not read_audio(str(file), "u").any()


def test_what_is_narrow_or_broken_is_not_copied(wide, tmp_path):
    write_table(wide / "utt2bw", {"a-1": "wide", "b-1": "narrow"})
    with pytest.raises(MeritError, match="utterance b-1 is narrow already"):
        copy_narrow(wide, tmp_path / "copy", tmp_path / "audio")
    write_table(wide / "utt2bw", {"a-1": "wide"})
    with pytest.raises(MeritError, match="cannot be copied.*\n.*utt2bw: utterance of wav.scp is missing: b-1"):
        copy_narrow(wide, tmp_path / "copy", tmp_path / "audio")
    assert not (tmp_path / "copy").exists()


def test_audio_that_cannot_be_read_leaves_no_copy(wide, tmp_path):
    path = tmp_path / "b-1.wav"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(MeritError, match="b-1: .*truncated, 500 bytes"):
        copy_narrow(wide, tmp_path / "copy", tmp_path / "audio")
    assert not (tmp_path / "copy/wav.scp").exists()
