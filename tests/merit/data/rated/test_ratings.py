"""ratings.csv: what is read, what is refused and how, and clips with their ratings."""

import math

import pytest

from merit.data.rated.ratings import Rating, clips_of, read_ratings, write_ratings
from merit.errors import MeritError

HEADER = "wav_path,system_id,sample_id,score,listener_id\n"


def table(tmp_path, *lines, header=HEADER):
    path = tmp_path / "ratings.csv"
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return path


def test_every_listener_is_kept_and_the_mean_is_over_all(tmp_path):
    path = table(tmp_path, "b.wav,s1,u2,3.5,", "a.wav,s1,u1,4,L1", "a.wav,s1,u1,1,L2", "c.wav,s2,u1,,")
    clips = clips_of(read_ratings(path))
    assert list(clips) == ["s1-u1", "s1-u2", "s2-u1"]
    assert clips["s1-u1"].scores == (4.0, 1.0) and clips["s1-u1"].listeners == ("L1", "L2")
    assert clips["s1-u1"].mean == 2.5 and clips["s1-u2"].mean == 3.5
    assert math.isnan(clips["s2-u1"].mean) and clips["s2-u1"].wav_path == "c.wav"


def test_what_is_written_is_read(tmp_path):
    ratings = [Rating("a, b.wav", "s", "u", 4.0, "L"), Rating("c.wav", "s", "v"), Rating("d.wav", "t", "u", 10 / 3)]
    write_ratings(tmp_path / "ratings.csv", ratings)
    found = read_ratings(tmp_path / "ratings.csv")
    assert found[:2] == ratings[:2] and found[2].score == pytest.approx(10 / 3, abs=1e-9)
    assert ",4,L" in (tmp_path / "ratings.csv").read_text()


def test_other_columns_and_another_order_are_fine(tmp_path):
    path = table(tmp_path, "L1,4,u,s,a.wav,x", header="listener_id,score,sample_id,system_id,wav_path,room\n")
    assert read_ratings(path) == [Rating("a.wav", "s", "u", 4.0, "L1")]


@pytest.mark.parametrize(
    "lines, message",
    [
        (["a.wav,s,u,5.5,L1"], r"ratings.csv:2: score '5.5' of clip s-u; expected a number from 1 to 5"),
        (["a.wav,s,u,0,L1"], "score '0'"),
        (["a.wav,s,u,nan,L1"], "score 'nan'"),
        (["a.wav,s,u,good,L1"], "score 'good'"),
        (["a.wav,s,u,3,L1", "a.wav,s,v,,L2"], r"ratings.csv:3: listener L2 rated nothing here \(clip s-v\)"),
        ([",s,u,3,L1"], "clip s-u has no wav_path"),
        (["a.wav,s x,u,3,L1"], "system_id 's x': expected a name without space"),
        (["a.wav,s,u/v,3,L1"], "sample_id 'u/v'"),
        (["a.wav,s,,3,L1"], "sample_id ''"),
        (["a.wav,s,u,3,L1", "b.wav,s,u,3,L2"], "clip s-u has two files, a.wav and b.wav"),
        (["a.wav,s,u,3,L1", "a.wav,s,u,4,L1"], "two lines of listener L1 for clip s-u"),
        (["a.wav,s,u,3,", "a.wav,s,u,4,"], "two lines of the mean over listeners for clip s-u"),
        (["a.wav,s,u,3,L1", "a.wav,s,u,,"], "clip s-u has a line without a score beside its ratings"),
        ([], "no rating in it"),
    ],
)
def test_a_line_that_cannot_be_is_shown(tmp_path, lines, message):
    with pytest.raises(MeritError, match=message):
        read_ratings(table(tmp_path, *lines))


def test_a_table_without_a_column_or_that_is_none_is_named(tmp_path):
    with pytest.raises(MeritError, match="ratings.csv:1: no column listener_id; expected wav_path,system_id,"):
        read_ratings(table(tmp_path, "a,s,u,3", header="wav_path,system_id,sample_id,score\n"))
    with pytest.raises(MeritError, match="missing.csv: the file is missing"):
        read_ratings(tmp_path / "missing.csv")
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"\xe9.wav,s,u,3,L\n")
    with pytest.raises(MeritError, match="latin.csv: not UTF-8"):
        read_ratings(tmp_path / "latin.csv")
