"""A prepared folder appears whole, and takes the place of nothing else."""

import logging

import numpy as np
import pytest
import soundfile
from published_noise import ESC50, make_corpus

from merit.data.noise import preparation as noise_preparation
from merit.data.noise.preparation import prepare_noise
from merit.data.noise.recordings import read_manifest
from merit.errors import MeritError


def test_damaged_files_are_all_listed(tmp_path):
    musan = make_corpus(tmp_path / "musan", [f"noise-free-sound-{number:04d}.wav" for number in range(5)])
    truncated, empty, no_audio = (musan / f"noise-free-sound-000{number}.wav" for number in range(3))
    truncated.write_bytes(truncated.read_bytes()[:-100])
    empty.write_bytes(b"")
    no_audio.write_bytes(b"<html>quota exceeded</html>")
    soundfile.write(musan / "noise-free-sound-0003.wav", np.zeros(0), 16000)
    (musan / "noise-free-sound-0006.wav").symlink_to(tmp_path / "gone.wav")
    with pytest.raises(MeritError) as error:
        prepare_noise("musan", musan, tmp_path / "out")
    first, *lines = str(error.value).splitlines()
    assert "5 of 6 files are damaged" in first and len(lines) == 5
    for line, expected in zip(
        lines, ["truncated, 100 bytes", "empty", "cannot be decoded", "no samples", "no such file"]
    ):
        assert expected in line
    assert not list(tmp_path.glob("*out*"))


@pytest.fixture
def esc50(tmp_path):
    return make_corpus(tmp_path / "esc50", ESC50)


def test_the_same_again_is_left_alone_and_anything_else_made_anew(esc50, tmp_path, caplog):
    def link_times():
        return {path: path.lstat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")}

    caplog.set_level(logging.INFO)
    (tmp_path / ".out.1234.tmp" / "train").mkdir(parents=True)  # of a process that was killed
    prepare_noise("esc50", esc50, tmp_path / "out")
    before = link_times()
    prepare_noise("esc50", esc50, tmp_path / "out")
    assert "out: complete" in caplog.text and link_times() == before
    next((tmp_path / "out").rglob("*.wav")).unlink()
    prepare_noise("esc50", esc50, tmp_path / "out")
    assert len(link_times()) == len(ESC50)
    prepare_noise("esc50", esc50, tmp_path / "out", ["urban"])
    assert len(link_times()) == 10 and all(path.name.endswith("-40.wav") for path in link_times())
    make_corpus(esc50, ["audio/2-77-A-45.wav"], seed=5)
    prepare_noise("esc50", esc50, tmp_path / "out", ["urban"])
    assert len(link_times()) == 11
    assert sorted(path.name for path in tmp_path.iterdir()) == ["esc50", "out"]


def test_a_failure_leaves_nothing_and_keeps_what_was_there(esc50, tmp_path, monkeypatch):
    prepare_noise("esc50", esc50, tmp_path / "out")
    monkeypatch.setattr(noise_preparation, "write_manifest", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        prepare_noise("esc50", esc50, tmp_path / "out", ["urban"])
    assert len(read_manifest(tmp_path / "out" / "manifest.tsv")) == len(ESC50)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["esc50", "out"]


def test_other_folders_are_not_replaced(esc50, tmp_path):
    make_corpus(tmp_path / "mine", ["train/a.wav"])
    for output, expected in (
        (tmp_path / "mine", "mine: there, and no prepared noise corpus"),
        (esc50 / "out", "one is inside the other"),
        (tmp_path, "one is inside the other"),
    ):
        with pytest.raises(MeritError, match=expected):
            prepare_noise("esc50", esc50, output)
    assert (tmp_path / "mine" / "train" / "a.wav").is_file()
    with pytest.raises(MeritError, match="--without .*mine: not a prepared noise corpus"):
        prepare_noise("esc50", esc50, tmp_path / "out", without=[tmp_path / "mine"])
