"""The record and the table of a condition, without scoring: what is kept, dropped, written and read."""

import json
import math
import os
from dataclasses import replace

import numpy as np
import pytest

from merit.errors import MeritError
from merit.metrics.enhancement.measures import MEASURES, EnhancementScores
from merit.metrics.enhancement.score_sheet import (
    Pair,
    Record,
    ScoreSheet,
    mean_scores,
    read_enhancement_table,
    read_records,
    record_path,
)

COLUMNS = ",".join(("utt", *MEASURES))


@pytest.fixture
def pairs(tmp_path):
    """Two utterances, given in another order than that of the table."""
    for name in ("clean", "u1", "u0"):
        (tmp_path / name).write_text(name)
    return {utt: Pair(str(tmp_path / "clean"), str(tmp_path / utt)) for utt in ("u1", "u0")}


def record(sheet: ScoreSheet, utt: str, value: float, **changes: float) -> Record:
    values = dict.fromkeys(MEASURES, value) | changes
    failures = {name: "why not" for name in MEASURES if math.isnan(values[name])}
    return Record.of(utt, sheet.fingerprints[utt], sheet.variant, EnhancementScores(values, failures), cut=0)


def test_a_table_appears_with_its_last_score_and_reads_back(tmp_path, pairs):
    sheet = ScoreSheet(tmp_path / "new" / "rows.csv", pairs)
    assert sheet.pending() == ["u0", "u1"]
    sheet.add(record(sheet, "u1", 1.23456789, **{MEASURES[-1]: math.nan}))
    sheet.finish()
    assert not sheet.path.exists() and sheet.pending() == ["u0"]
    sheet.add(record(sheet, "u0", -2.0))
    sheet.finish()
    count = len(MEASURES)
    lines = [COLUMNS.encode(), b"u0" + b",-2.000000" * count, b"u1" + b",1.234568" * (count - 1) + b",nan", b""]
    assert sheet.path.read_bytes() == b"\r\n".join(lines)
    table = read_enhancement_table(sheet.path)
    assert list(table) == ["u0", "u1"] and table["u0"] == dict.fromkeys(MEASURES, -2.0)
    assert math.isnan(table["u1"][MEASURES[-1]]) and table["u1"]["PESQ"] == 1.234568


def test_a_line_is_json_with_the_reason_of_what_is_undefined(tmp_path, pairs):
    sheet = ScoreSheet(tmp_path / "rows.csv", pairs)
    sheet.add(record(sheet, "u0", 0.5, PESQ=math.nan))
    (line,) = (tmp_path / "rows.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert (found["utt"], found["composite"], found["failures"]) == ("u0", "matlab", {"PESQ": "why not"})
    assert found["scores"]["PESQ"] is None and found["scores"]["STOI"] == 0.5
    assert found["compared"] == pairs["u0"].fingerprint()


def test_lines_of_an_earlier_run_count_when_they_compared_the_same(tmp_path, pairs):
    first = ScoreSheet(tmp_path / "rows.csv", pairs)
    for utt in pairs:
        first.add(record(first, utt, 1.0))
    first.finish()
    with record_path(first.path).open("a") as file:
        file.write('{"utt": "u1", "comp')  # a process that was killed
    assert read_records(first.path)[0] == 3
    again = ScoreSheet(first.path, pairs)
    assert again.pending() == [] and again.path.exists()
    assert read_records(first.path) == (2, first.records)
    os.utime(pairs["u1"].estimate, ns=(1, 1))
    other = ScoreSheet(first.path, pairs)
    assert other.pending() == ["u1"] and not other.path.exists() and list(read_records(first.path)[1]) == ["u0"]
    assert ScoreSheet(first.path, pairs, "cmgan").pending() == ["u0", "u1"]


def test_what_lacks_a_measure_is_scored_again(tmp_path, pairs):
    """What was scored before a measure was added."""
    sheet = ScoreSheet(tmp_path / "rows.csv", pairs)
    for utt in pairs:
        complete = record(sheet, utt, 1.0)
        sheet.add(
            replace(complete, scores={name: complete.scores[name] for name in MEASURES[: -1 if utt == "u1" else None]})
        )
    sheet.path.write_text("utt,PESQ\nu0,1\nu1,1\n")
    again = ScoreSheet(sheet.path, pairs)
    assert again.pending() == ["u1"] and not again.path.exists()
    again.add(record(again, "u1", 2.0))
    again.finish()
    assert read_enhancement_table(sheet.path)["u1"] == dict.fromkeys(MEASURES, 2.0)


def test_a_fingerprint_tells_entries_and_files_apart(tmp_path, pairs):
    one, two = pairs.values()
    before = one.fingerprint()
    assert before == Pair(one.reference, one.estimate).fingerprint() != two.fingerprint()
    assert before != Pair(one.estimate, one.reference).fingerprint()
    assert Pair("cat a.wav |", one.estimate).fingerprint() != before  # a command has no file to look at
    (tmp_path / "clean").write_text("longer")
    assert one.fingerprint() != before


def test_means_leave_out_what_is_undefined():
    generator = np.random.default_rng(0)
    values = generator.random((5, len(MEASURES)))
    values[[0, 3], 0] = math.nan
    values[:, -1] = math.nan
    table = {f"u{row}": dict(zip(MEASURES, map(float, values[row]))) for row in range(5)}
    means, failures = mean_scores(table)
    assert [means[name] for name in MEASURES[:-1]] == pytest.approx(np.nanmean(values[:, :-1], axis=0), rel=1e-15)
    assert math.isnan(means[MEASURES[-1]])
    assert failures == dict.fromkeys(MEASURES, 0) | {MEASURES[0]: 2, MEASURES[-1]: 5}


def test_tables_of_another_kind_are_refused(tmp_path, pairs):
    with pytest.raises(MeritError, match="rows.txt: a table of scores is named"):
        ScoreSheet(tmp_path / "rows.txt", pairs)
    with pytest.raises(MeritError, match="rows.csv: not there; score the condition first"):
        read_enhancement_table(tmp_path / "rows.csv")
    (tmp_path / "rows.csv").write_text("utt,PESQ\nu0,1\n")
    with pytest.raises(MeritError, match=f"expected the columns {COLUMNS}, found .*; remove it and score"):
        read_enhancement_table(tmp_path / "rows.csv")
