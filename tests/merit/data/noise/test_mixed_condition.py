"""The record that mixing goes on from, and the tables at its end; test_mixed_directory.py has both at work."""

import json
from pathlib import Path

import pytest

from merit.data.datadir import read_table, write_data_directory
from merit.data.noise.mixed_condition import Condition, Mixed, mix_all
from merit.data.noise.mixing import SIGNALS


def row(utterance, **changes):
    fields = {"speech": "stamp", "noise": "/n.wav", "offset": 3, "skipped": 0, "gain": 0.5, "measured": 4.9996}
    return Mixed(utterance=utterance, samples=8000, **fields | changes)


def condition(root, settings, rows):
    made = Condition(root / "data/set_mixed", root / "audio", settings, {one.utterance: one for one in rows})
    for signal in SIGNALS:
        for one in rows:
            (root / "audio" / signal).mkdir(parents=True, exist_ok=True)
            (root / "audio" / signal / f"{one.utterance}.flac").touch()
    return made


def test_a_line_mentions_what_there_is():
    assert json.loads(row("u").line()) == {
        "utterance": "u", "speech": "stamp", "noise": "/n.wav", "offset": 3, "skipped": 0, "gain": 0.5,
        "measured": 4.9996, "samples": 8000,
    }  # fmt: skip
    assert json.loads(row("u", snr=0.0, telephone=False, rir="/r.wav").line()).items() >= {
        "snr": 0.0, "telephone": False, "rir": "/r.wav",
    }.items()  # fmt: skip


def test_the_record_is_read_back_as_far_as_it_is_true(tmp_path):
    rows = [row("a"), row("b", snr=1.5), row("c", speech="older")]
    condition(tmp_path, {"seed": 1}, rows).begin()
    stamps = {name: "stamp" for name in "abc"}
    again = condition(tmp_path, {"seed": 1}, [])
    again.read_record(stamps)
    assert again.mixed == {"a": rows[0], "b": rows[1]}
    (tmp_path / "audio/clean/a.flac").unlink()
    with again.record.open("a") as stream:
        stream.write(rows[0].line()[:40])
    again.mixed.clear()
    again.read_record(stamps)
    assert again.mixed == {"b": rows[1]}
    other = condition(tmp_path, {"seed": 2}, [])
    other.read_record(stamps)
    assert other.mixed == {}


@pytest.mark.parametrize("settings, snrs", [({"snr": 5.0}, ("5", "5")), ({}, ("7.25", "-3"))])
def test_ratios_are_those_of_the_condition_or_of_each_utterance(tmp_path, settings, snrs):
    write_data_directory(tmp_path / "data/set", {"a": "/a.wav", "b": "/b.wav"}, {"a": "x", "b": "y"})
    made = condition(
        tmp_path, settings, [row("a", snr=7.25, rir="/r.wav", telephone=False), row("b", snr=-3.0, telephone=True)]
    )
    made.write_tables(tmp_path / "data/set", {"a": "/a.wav", "b": "/b.wav"})
    tables = {file.name: read_table(file) for file in made.directory.iterdir()}
    assert tuple(tables["utt2snr"].values()) == snrs
    assert tables["utt2rir"] == {"a": "/r.wav", "b": "none"} and tables["utt2telephone"] == {"a": "false", "b": "true"}
    assert (
        tables["utt2noise"]["a"] == "/n.wav 3" and tables["utt2gain"]["a"] == "0.5" and tables["utt2dur"]["a"] == "0.5"
    )
    assert tables["utt2snr_measured"]["a"] == "5.000" and tables["utt2spk"] == {"a": "x", "b": "y"}


def double(name: str) -> dict[str, Mixed] | str:
    return f"{name}: bad" if name == "b" else {"only": row(name, snr=5.0)}


def test_results_are_written_down_as_they_come_and_problems_are_returned(tmp_path: Path):
    made = condition(tmp_path, {}, [])
    assert mix_all(["a", "b", "c"], double, {"only": made}, nj=1) == ["b: bad"]
    assert set(made.mixed) == {"a", "c"}
    header, *lines = made.record.read_text().splitlines()
    assert header == "{}" and {json.loads(line)["utterance"] for line in lines} == {"a", "c"}
