"""Narrow-band copies: the same texts, other speech, and nothing made twice."""

import numpy as np
import pytest
from small_smoe import make_set

from merit.data.audio import read_audio
from merit.data.bandwidth import detect_bandwidth
from merit.data.datadir import problems_in, read_table, write_table
from merit.data.narrow_directory import copy_narrow
from merit.errors import MeritError


@pytest.mark.parametrize("codec", ["resample", "mu_law"])
def test_a_copy_has_the_texts_and_no_energy_above_4_khz(tmp_path, codec):
    data = make_set(tmp_path, "dev", 4, 1, bandwidths=("wide",))
    copy_narrow(data, tmp_path / "dev_narrow", tmp_path / "audio", codec)
    assert problems_in(tmp_path / "dev_narrow", audio=True) == []
    assert {*read_table(tmp_path / "dev_narrow/utt2bw").values()} == {"narrow"}
    wav, before = read_table(tmp_path / "dev_narrow/wav.scp"), read_table(data / "wav.scp")
    for key, text in read_table(data / "text.fr").items():
        assert read_table(tmp_path / "dev_narrow/text.fr")[f"{key}-narrow"] == text
        narrow, wide = read_audio(wav[f"{key}-narrow"], key), read_audio(before[key], key)
        assert len(narrow) == len(wide) and detect_bandwidth(narrow) == "narrow" and detect_bandwidth(wide) == "wide"
        spectrum = np.abs(np.fft.rfft(narrow)) ** 2
        assert spectrum[int(0.55 * len(spectrum)) :].sum() < 1e-4 * spectrum.sum()


def test_audio_that_is_there_is_kept_until_its_source_changes(tmp_path):
    data = make_set(tmp_path, "dev", 2, 1, bandwidths=("wide",))
    copy_narrow(data, tmp_path / "dev_narrow", tmp_path / "audio")
    files = sorted((tmp_path / "audio").iterdir())
    stamps = [file.stat().st_mtime_ns for file in files]
    (tmp_path / "dev/dev001.flac").touch()
    copy_narrow(data, tmp_path / "dev_narrow", tmp_path / "audio")
    again = [file.stat().st_mtime_ns for file in files]
    assert again[0] == stamps[0] and again[1] > stamps[1]


def test_what_is_narrow_already_is_refused(tmp_path):
    data = make_set(tmp_path, "dev", 2, 1)
    with pytest.raises(MeritError, match="utterance dev001 is narrow already"):
        copy_narrow(data, tmp_path / "dev_narrow", tmp_path / "audio")
    assert not (tmp_path / "dev_narrow").exists()


def test_tables_with_problems_are_refused(tmp_path):
    data = make_set(tmp_path, "dev", 2, 1, bandwidths=("wide",))
    write_table(data / "utt2bw", {"dev000": "wide"})
    with pytest.raises(MeritError, match="utterance of wav.scp is missing: dev001"):
        copy_narrow(data, tmp_path / "dev_narrow", tmp_path / "audio")


def test_audio_that_cannot_be_read_leaves_no_copy(tmp_path):
    data = make_set(tmp_path, "dev", 2, 1, bandwidths=("wide",))
    (tmp_path / "dev/dev001.flac").write_bytes(b"")
    with pytest.raises(MeritError, match="dev001: .*the file is empty"):
        copy_narrow(data, tmp_path / "dev_narrow", tmp_path / "audio")
    assert not (tmp_path / "dev_narrow/wav.scp").exists()
