import logging
import os

import numpy as np
import pytest
import soundfile
from test_composite import noisy_pair

from merit.errors import MeritError
from merit.metrics.enhancement import scoring
from merit.metrics.enhancement.measures import MEASURES, enhancement_scores
from merit.metrics.enhancement.score_sheet import Pair, ScoreSheet, mean_scores, read_enhancement_table, record_path
from merit.metrics.enhancement.scoring import pair_tables, score_sheets


def write(path, samples):
    soundfile.write(path, samples, 16000, subtype="FLOAT")
    return str(path)


@pytest.fixture
def pairs(tmp_path):
    """Two utterances in noise."""
    made = {}
    for number in (0, 1):
        clean, noisy = noisy_pair(seconds=0.8, seed=number)
        made[f"u{number}"] = Pair(write(tmp_path / f"c{number}.wav", clean), write(tmp_path / f"n{number}.wav", noisy))
    return made


def expected(number, variant="matlab"):
    return enhancement_scores(*noisy_pair(seconds=0.8, seed=number), variant).values


@pytest.mark.parametrize("nj", [1, 2])
def test_tables_hold_the_scores_of_all_sheets(tmp_path, pairs, nj):
    noisy = ScoreSheet(tmp_path / "noisy" / "enhancement.csv", pairs)
    undistorted = {utt: Pair(pair.reference, pair.reference) for utt, pair in pairs.items()}
    clean = ScoreSheet(tmp_path / "clean" / "enhancement.csv", undistorted)
    score_sheets([noisy, clean], nj)
    table = read_enhancement_table(noisy.path)
    assert list(table) == ["u0", "u1"]
    for number in (0, 1):
        assert table[f"u{number}"] == pytest.approx(expected(number), abs=1e-6)
    assert read_enhancement_table(clean.path)["u0"]["SSNR"] == 35
    assert noisy.path.read_text().splitlines()[0] == ",".join(("utt", *MEASURES))


def test_a_stopped_run_goes_on(tmp_path, pairs, monkeypatch):
    sheet = ScoreSheet(tmp_path / "rows.csv", pairs)
    original, scored = scoring.enhancement_scores, []

    def counted(*arguments):
        if len(scored) == 1:
            raise KeyboardInterrupt
        scored.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(scoring, "enhancement_scores", counted)
    with pytest.raises(KeyboardInterrupt):
        score_sheets([sheet], nj=1)
    assert not sheet.path.exists()
    # A kill in the middle of a line:
    with record_path(sheet.path).open("a") as file:
        file.write('{"utt": "u1", "comp')

    monkeypatch.setattr(scoring, "enhancement_scores", lambda *arguments: scored.append(1) or original(*arguments))
    again = ScoreSheet(tmp_path / "rows.csv", pairs)
    assert again.pending() == ["u1"]
    score_sheets([again], nj=1)
    assert len(scored) == 2
    assert read_enhancement_table(sheet.path)["u1"] == pytest.approx(expected(1), abs=1e-6)
    assert ScoreSheet(tmp_path / "rows.csv", pairs).pending() == []


def test_other_audio_another_variant_or_another_utterance_is_scored_again(tmp_path, pairs):
    path = tmp_path / "rows.csv"
    score_sheets([ScoreSheet(path, pairs)], nj=1)
    assert ScoreSheet(path, {**pairs, "u2": pairs["u0"]}).pending() == ["u2"]
    assert not path.exists()  # it lacked an utterance
    score_sheets([ScoreSheet(path, pairs)], nj=1)

    write(pairs["u1"].estimate, noisy_pair(seconds=0.8, seed=1)[0])
    os.utime(pairs["u1"].estimate, ns=(1, 1))
    sheet = ScoreSheet(path, pairs)
    assert sheet.pending() == ["u1"] and not path.exists()
    score_sheets([sheet], nj=1)
    assert read_enhancement_table(path)["u1"]["SSNR"] == 35

    sheet = ScoreSheet(path, pairs, "cmgan")
    assert sheet.pending() == ["u0", "u1"]
    score_sheets([sheet], nj=1)
    assert read_enhancement_table(path)["u0"] == pytest.approx(expected(0, "cmgan"), abs=1e-6)


def test_undefined_scores_are_nan_counted_and_explained(tmp_path, pairs, caplog):
    pairs["u1"] = Pair(pairs["u1"].reference, write(tmp_path / "silent.wav", np.zeros(12800)))
    sheet = ScoreSheet(tmp_path / "rows.csv", pairs)
    score_sheets([sheet], nj=1)
    assert "u1 has no PESQ" in caplog.text and "digital silence" in caplog.text
    means, failures = mean_scores(read_enhancement_table(sheet.path))
    assert failures | {"PESQ": 1, "CSIG": 1, "CBAK": 1, "COVL": 1, "SSNR": 0, "STOI": 1} == failures
    assert means["PESQ"] == pytest.approx(expected(0)["PESQ"], abs=1e-6)


def test_unreadable_audio_is_named_after_the_rest_is_done(tmp_path, pairs):
    pairs["u0"] = Pair(pairs["u0"].reference, write(tmp_path / "nan.wav", np.full(12800, np.nan)))
    pairs["u2"] = Pair(pairs["u1"].reference, write(tmp_path / "short.wav", np.ones(12000)))
    sheet = ScoreSheet(tmp_path / "rows.csv", pairs)
    with pytest.raises(MeritError) as error:
        score_sheets([sheet], nj=1)
    assert "2 utterances could not be scored" in str(error.value)
    assert "u0: " in str(error.value) and "nan.wav" in str(error.value)
    assert "u2: " in str(error.value) and "12000" in str(error.value)
    assert not sheet.path.exists() and list(sheet.records) == ["u1"]


def test_a_few_samples_are_cut_and_said_once(tmp_path, pairs, caplog):
    caplog.set_level(logging.INFO)
    for number in (0, 1):
        _, noisy = noisy_pair(seconds=0.8, seed=number)
        write(pairs[f"u{number}"].estimate, noisy[: -number - 3])
    score_sheets([ScoreSheet(tmp_path / "rows.csv", pairs)], nj=1)
    assert caplog.text.count("2 pairs cut to the shorter one, by up to 4 samples") == 1


def test_missing_utterances_are_named(caplog):
    reference = {f"u{number}": "x" for number in range(9)}
    with pytest.raises(MeritError, match="est.scp: 8 of 9 .* missing: u1 u2 u3 u4 u5 ..."):
        pair_tables(reference, {"u0": "y"}, "est.scp")
    assert pair_tables({"u0": "x"}, {"u0": "y", "v": "z"}, "est.scp") == {"u0": Pair("x", "y")}
    assert "no reference" in caplog.text


def test_processes_are_at_least_one(tmp_path, pairs):
    with pytest.raises(MeritError, match="--nj 0"):
        score_sheets([ScoreSheet(tmp_path / "rows.csv", pairs)], nj=0)
