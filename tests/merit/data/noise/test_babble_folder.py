import logging

import numpy as np
import pytest
import soundfile

from merit.data.noise.babble_folder import BabbleOptions, prepare_babble
from merit.data.noise.recordings import PARTS, noise_files, read_manifest
from merit.errors import MeritError

RATE = 16000


@pytest.fixture
def crss(tmp_path):
    """Two files of each of 9 talkers, all tones of the talker's own frequency: 400 Hz and multiples of 300 Hz more."""
    for talker in range(9):
        for take in (1, 2):
            for microphone in ("close", "far"):
                path = tmp_path / "crss" / f"S{talker}" / f"take{take}_{microphone}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                tone = np.sin(2 * np.pi * (400 + 300 * talker) * np.arange(RATE // 2) / RATE)
                soundfile.write(path, 0.1 * take * tone, RATE)
    return tmp_path / "crss"


OPTIONS = BabbleOptions(talkers=2, seconds=0.5, files=(3, 2, 2), speaker=r"(S\d)/.*_close")


def rows(path):
    header, *lines = path.read_text().splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"))) for line in lines]


def test_talkers_are_in_one_part_and_listed(crss, tmp_path):
    prepare_babble("crss", crss, tmp_path / "out", OPTIONS)
    split = read_manifest(tmp_path / "out" / "manifest.tsv")
    talkers = {part: {name for row in split if row.part == part for name in row.recordings.split()} for part in PARTS}
    assert not any(
        talkers[one] & talkers[other] for one, other in (("train", "dev"), ("train", "test"), ("dev", "test"))
    )
    said = rows(tmp_path / "out" / "talkers.tsv")
    for row in split:
        samples, rate = soundfile.read(tmp_path / "out" / row.file)
        assert (rate, len(samples)) == (RATE, RATE // 2)
        power = np.abs(np.fft.rfft(samples)) ** 2
        loud = {f"crss:S{talker}" for talker in range(9) if power[200 + 150 * talker] > 0.1 * power.max()}
        assert loud == set(row.recordings.split()) and len(loud) == 2  # who is listed talks, and nobody else
        assert {f"crss:{line['talker']}" for line in said if line["file"] == row.file} == loud
    assert all(line["utterance"].startswith(f"{line['talker']}/take") for line in said)
    for part, count in zip(PARTS, (3, 2, 2)):
        assert len(noise_files(tmp_path / "out", tmp_path / "data" / "noise" / "crss.tsv", part)) == count
    left_out = rows(tmp_path / "out" / "removed.tsv")
    assert len(left_out) == 18 and all(line["file"].endswith("_far.wav") for line in left_out)


def test_without_an_expression_the_folder_is_the_talker(crss, tmp_path):
    prepare_babble("crss", crss, tmp_path / "out", BabbleOptions(talkers=3, seconds=0.1, files=(1, 1, 1)))
    split = read_manifest(tmp_path / "out" / "manifest.tsv")
    named = sorted(name for row in split for name in row.recordings.split())
    assert named == [f"crss:S{talker}" for talker in range(9)]
    assert not (tmp_path / "out" / "removed.tsv").exists()


def test_the_same_again_is_left_alone_and_other_options_made_anew(crss, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    prepare_babble("crss", crss, tmp_path / "out", OPTIONS)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.flac")}
    prepare_babble("crss", crss, tmp_path / "out", OPTIONS)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.flac")} == before
    assert "out: complete" in caplog.text
    prepare_babble("crss", crss, tmp_path / "out", OPTIONS, seed=1)
    again = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.flac")}
    assert again.keys() == before.keys() and all(again[path] != before[path] for path in before)


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"speaker": "["}, r"--babble.speaker '\[': no regular expression"),
        ({"speaker": "S1"}, "needs a group"),
        ({"speaker": "(Q)/"}, "found in none of 36 files such as S0/take1_close.wav"),
        ({"talkers": 4}, r"9 talkers \(S0 S1 .*: 3 of them in (train|dev|test), fewer than the 4 that talk at once"),
        ({"files": (0, 0, 0)}, "number of files"),
        ({"speaker": "(take)"}, "1 talkers .* cannot be split into 3 parts"),
    ],
)
def test_impossible_babble_is_refused(crss, tmp_path, options, expected):
    chosen = {"talkers": 2, "seconds": 0.1, "files": (1, 1, 1), **options}
    with pytest.raises(MeritError, match=expected):
        prepare_babble("crss", crss, tmp_path / "out", BabbleOptions(**chosen))
    assert not (tmp_path / "out").exists()


def test_missing_and_damaged_speech_is_listed(crss, tmp_path):
    for talker in (2, 3):
        path = crss / f"S{talker}" / "take1_close.wav"
        path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(MeritError, match="2 of 18 files are damaged(.|\n)*S2/take1_close.wav: truncated(.|\n)*S3/"):
        prepare_babble("crss", crss, tmp_path / "out", OPTIONS)
    with pytest.raises(MeritError, match="nowhere: no audio files"):
        prepare_babble("crss", tmp_path / "nowhere", tmp_path / "out", OPTIONS)
    soundfile.write(crss / "S2" / "take1_close.wav", np.zeros(RATE), RATE)
    soundfile.write(crss / "S3" / "take1_close.wav", np.zeros(RATE), RATE)
    with pytest.raises(MeritError, match=r"S[23]/take1_close.wav: silent"):
        prepare_babble("crss", crss, tmp_path / "out", OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["crss"]
