import os
import subprocess

import numpy as np
import pytest
import soundfile

from merit.data.datadir import (
    is_mixed_online,
    problems_in,
    read_bandwidths,
    read_durations,
    read_table,
    require_stored,
    summary,
    write_data_directory,
    write_table,
)
from merit.errors import MeritError


@pytest.fixture
def directory(tmp_path):
    """A valid data directory: two utterances of one speaker, one of another."""
    wav = {}
    for name in ("a-1", "a-2", "b-1"):
        wav[name] = str(tmp_path / f"{name}.wav")
        soundfile.write(wav[name], np.full(1600, 0.1), 16000)
    path = tmp_path / "data"
    speakers = {name: name[0] for name in wav}
    write_data_directory(path, wav, speakers, {name: "anger" for name in wav}, {name: 0.1 for name in wav})
    return path


def test_tables_are_written_in_the_order_of_sort(tmp_path):
    keys = ["z", "Z", "a-1", "a_1", "a1", "10", "9", "é", "A"]
    write_table(tmp_path / "table", {key: f"value of {key}" for key in keys})
    shuffled = "".join(f"{key}\n" for key in keys)
    expected = subprocess.run(
        ["sort"], input=shuffled, env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True, check=True
    )
    assert list(read_table(tmp_path / "table")) == expected.stdout.split()
    assert read_table(tmp_path / "table")["é"] == "value of é"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", "table: the file is empty"),
        ("a 1\nb\n", "table:2: expected 'key value': 'b'"),
        ("a 1\n\nb 2\n", "table:2: expected 'key value': ''"),
        ("a 1\na 2\n", "table:2: duplicate key: a 2"),
        ("b 1\na 2\n", "table:2: not sorted, a after b"),
        ("a 1\na/b 2\n", "table:2: a key names files and cannot hold '/'"),
        (b"\xff\xfe 1\n", "table: not UTF-8"),
        (None, "table: the file is missing"),
    ],
)
def test_unusable_tables_are_refused_with_the_line(tmp_path, text, expected):
    if text is not None:
        (tmp_path / "table").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(MeritError, match="^" + str(tmp_path)) as error:
        read_table(tmp_path / "table")
    assert expected in str(error.value)


def test_all_offending_lines_are_named_and_the_rest_counted(tmp_path):
    (tmp_path / "table").write_text("a 1\n" * 31)
    with pytest.raises(MeritError) as error:
        read_table(tmp_path / "table")
    lines = str(error.value).splitlines()
    assert len(lines) == 21 and lines[-1] == "... and 10 more"


def test_written_directory_is_valid(directory):
    assert problems_in(directory, classes=["anger"], audio=True) == []
    assert (directory / "spk2utt").read_text() == "a a-1 a-2\nb b-1\n"
    assert summary(directory).startswith("3 utterances, 2 speakers, 0.00 hours")


def test_tables_with_other_utterances_are_not_written(tmp_path):
    with pytest.raises(MeritError, match="utt2emo: utterance of wav.scp is missing: u2"):
        write_data_directory(tmp_path / "data", {"u1": "x", "u2": "y"}, {"u1": "s", "u2": "s"}, {"u1": "anger"})
    with pytest.raises(MeritError, match="spk1.scp: utterance is not in wav.scp: u3 z"):
        write_data_directory(tmp_path / "data", {"u1": "x"}, {"u1": "s"}, **{"spk1.scp": {"u1": "x", "u3": "z"}})
    with pytest.raises(MeritError, match="no utterance"):
        write_data_directory(tmp_path / "data", {}, {})
    assert not (tmp_path / "data").exists()


def problems_after(directory, table, old, new):
    path = directory / table
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    return problems_in(directory, classes=["anger"])


@pytest.mark.parametrize(
    "table, old, new, expected",
    [
        ("utt2spk", "a-2 a\n", "", "utt2spk: utterance of wav.scp is missing: a-2"),
        ("utt2emo", "b-1 anger", "c-1 anger", "utt2emo: utterance is not in wav.scp: c-1 anger"),
        ("utt2emo", "b-1 anger", "b-1 joy", "utt2emo: unknown label: b-1 joy (known: anger)"),
        ("utt2dur", "a-1 0.1", "a-1 -1", "utt2dur: not a positive number of seconds: a-1 -1"),
        ("utt2dur", "a-1 0.1", "a-1 long", "utt2dur: not a positive number of seconds: a-1 long"),
        ("utt2dur", "a-1 0.1", "a-1 nan", "utt2dur: not a positive number of seconds: a-1 nan"),
        ("spk2utt", "b b-1", "b a-1 b-1", "spk2utt: does not agree with utt2spk: b a-1 b-1"),
        ("spk2utt", "b b-1\n", "", "spk2utt: does not agree with utt2spk: b (missing)"),
        ("wav.scp", "b-1.wav", "gone.wav", "wav.scp: the file is missing: b-1 "),
        ("wav.scp", "b-1 ", "0-1 ", "wav.scp:3: not sorted, 0-1 after a-2"),
        ("utt2spk", "b-1 b", "a-2 b", "utt2spk:3: duplicate key: a-2 b"),
    ],
)
def test_problems_show_the_offending_line(directory, table, old, new, expected):
    assert any(expected in problem for problem in problems_after(directory, table, old, new))


def test_missing_tables_and_directories_are_problems(directory, tmp_path):
    (directory / "utt2spk").unlink()
    assert f"{directory}/utt2spk: the file is missing" in problems_in(directory)
    assert "no such directory" in problems_in(tmp_path / "nowhere")[0]


def test_archives_are_looked_for_and_commands_are_not(directory):
    lines = (directory / "wav.scp").read_text().splitlines()
    lines[0], lines[1] = "a-1 nowhere.ark:17", "a-2 false |"
    (directory / "wav.scp").write_text("\n".join(lines) + "\n")
    assert problems_in(directory) == [f"{directory}/wav.scp: the file is missing: a-1 nowhere.ark:17"]
    assert "command failed with status 1" in problems_in(directory, audio=True)[1]


@pytest.mark.parametrize("audio", [False, True])
def test_commands_are_problems_where_they_are_refused_and_are_not_run(directory, tmp_path, audio):
    entries = read_table(directory / "wav.scp")
    write_table(directory / "wav.scp", entries | {"a-2": f"touch {tmp_path}/made |"})
    write_table(directory / "spk1.scp", entries | {"b-1": f"touch {tmp_path}/made | "})
    assert problems_in(directory, audio=audio, pipes=False) == [
        f"{directory}/spk1.scp: a command, which --no-pipes refuses: b-1 touch {tmp_path}/made |",
        f"{directory}/wav.scp: a command, which --no-pipes refuses: a-2 touch {tmp_path}/made |",
    ]
    assert not (tmp_path / "made").exists()


def test_labels_are_missed_where_classes_are_given(directory):
    (directory / "utt2emo").unlink()
    assert problems_in(directory, classes=["anger", "joy"]) == [
        f"{directory}/utt2emo: the file is missing; expected a label for each utterance, of anger joy"
    ]
    assert problems_in(directory) == []


def test_undecodable_audio_is_found_on_demand(directory, tmp_path):
    (tmp_path / "a-2.wav").write_bytes(b"RIFF and nothing else")
    assert problems_in(directory) == []
    assert any("a-2: " in problem for problem in problems_in(directory, audio=True))


def test_durations_come_from_utt2dur_or_the_audio(tmp_path):
    wav = {}
    for key, samples in (("a", 8000), ("b", 4410)):
        wav[key] = str(tmp_path / f"{key}.wav")
        soundfile.write(wav[key], np.zeros(samples), 16000)
    assert read_durations(tmp_path, wav) == {"a": 0.5, "b": 4410 / 16000}
    write_table(tmp_path / "utt2dur", {"a": "0.25", "b": "1.5", "c": "2"})
    assert read_durations(tmp_path, wav) == {"a": 0.25, "b": 1.5}


@pytest.mark.parametrize("second, problem", [({}, "no line"), ({"b": "long"}, "'long'"), ({"b": "0"}, "'0'")])
def test_unusable_durations_are_named(tmp_path, second, problem):
    write_table(tmp_path / "utt2dur", {"a": "0.25", **second})
    with pytest.raises(MeritError, match=f"utt2dur: {problem} for utterance b"):
        read_durations(tmp_path, {"a": "a.wav", "b": "b.wav"})


def test_what_is_mixed_while_it_is_read_is_told_from_what_is_stored(directory):
    require_stored(directory)
    assert not is_mixed_online(directory)
    (directory / "mixing.json").touch()
    with pytest.raises(
        MeritError, match=f"{directory}: mixed anew in every epoch .*Give stored speech, as data/dev_drawn"
    ):
        require_stored(directory.parent, directory)
    assert is_mixed_online(directory)


def test_bandwidths_are_wide_or_narrow(tmp_path):
    (tmp_path / "utt2bw").write_text("u1 wide\nu2 narrow\n")
    assert read_bandwidths(tmp_path, ["u2", "u1"]) == {"u2": "narrow", "u1": "wide"}
    with pytest.raises(MeritError, match="utt2bw: no line for utterance u3; expected wide or narrow"):
        read_bandwidths(tmp_path, ["u1", "u3"])
    (tmp_path / "utt2bw").write_text("u1 wide\nu2 8k\n")
    with pytest.raises(MeritError, match="utt2bw: '8k' for utterance u2; expected wide or narrow"):
        read_bandwidths(tmp_path, ["u1", "u2"])


def test_texts_and_bandwidths_are_checked_with_the_directory(directory):
    utterances = list(read_table(directory / "wav.scp"))
    write_table(directory / "text.fr", {utterance: "le chat" for utterance in utterances})
    write_table(directory / "utt2bw", {utterance: "wide" for utterance in utterances})
    assert problems_in(directory) == []
    (directory / "text.fr").write_text("".join(f"{utterance} le chat\n" for utterance in utterances[1:]))
    write_table(directory / "utt2bw", {utterance: "broad" for utterance in utterances})
    assert problems_in(directory) == [
        f"{directory}/text.fr: utterance of wav.scp is missing: {utterances[0]}",
        *(f"{directory}/utt2bw: expected wide or narrow: {utterance} broad" for utterance in utterances),
    ]
    (directory / "text.fr").write_text("".join(f"{utterance} \n" for utterance in utterances))
    assert f"{directory}/text.fr:1: expected 'key value': '{utterances[0]} '" in problems_in(directory)
