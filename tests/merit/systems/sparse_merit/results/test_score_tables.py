"""Score folders as rows, and which runs have them."""

import pytest
from made_experiment import CLASSES, make_experiment, write_emotions, write_enhancement

from merit.data.noise.mixed_names import parse_condition
from merit.errors import MeritError
from merit.systems.sparse_merit.results.experiment import find_runs
from merit.systems.sparse_merit.results.run_files import EMOTION_TABLE
from merit.systems.sparse_merit.results.score_tables import emotion_rows, enhancement_row, enhancement_rows, runs_with


def test_rows_hold_means_over_defined_scores_and_count_the_others(tmp_path):
    for condition, composite in (("test_wind_0dB", "cmgan"), ("test_babble_5dB", "matlab")):
        values = [2.0, float("nan"), 4.0]
        write_enhancement(tmp_path, condition, ["u0", "u1", "u2"], values.__getitem__, composite)
    babble, wind = enhancement_rows(tmp_path, seen=["babble"])
    assert (babble.condition.noise, wind.condition.noise) == ("babble", "wind")
    assert set(babble.means.values()) == {3.0} and set(babble.failures.values()) == {1}
    assert (babble.utterances, babble.composite, wind.composite) == (3, "matlab", "cmgan")
    (tmp_path / "test_wind_0dB/enhancement.jsonl").unlink()
    assert enhancement_row(tmp_path, wind.condition).composite is None


def test_rows_hold_the_scores_of_the_emotions(tmp_path):
    labels = {"u1": "angry", "u2": "angry", "u3": "sad", "u4": "sad"}
    write_emotions(tmp_path, "test_wind_0dB", labels, {**labels, "u2": "sad"})
    (row,) = emotion_rows(tmp_path / "score")
    assert row.scores.accuracy == 0.75 and row.condition == parse_condition("test_wind_0dB")


def test_the_page_of_a_single_run_leaves_the_dev_set_out(tmp_path):
    make_experiment(tmp_path, utterances=8)
    scores = tmp_path / "exp" / "sparse_merit-7" / "score"
    assert {path.name for path in scores.iterdir()} > {"dev_babble_5dB"}
    for rows in (emotion_rows(scores), enhancement_rows(scores)):
        assert [row.condition.name for row in rows] == ["test_babble_-5dB", "test_babble_5dB", "test_wind_-5dB"]


def test_a_seed_without_scores_is_an_error(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(20)}
    write_emotions(tmp_path / "ft_m-7", "test_wind_0dB", labels, labels)
    write_emotions(tmp_path / "ft_m-17", "test_wind_5dB", labels, labels)
    runs = find_runs(tmp_path, ["ft_m"], [7, 17])
    with pytest.raises(MeritError, match="no emotion.csv in .*ft_m-17/score/test_wind_0dB"):
        runs_with(runs, parse_condition("test_wind_0dB"), EMOTION_TABLE)


def test_a_condition_that_one_method_lacks_is_an_error_and_no_gap(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(20)}
    for method, name in (("ft_m", "test_wind_0dB"), ("ft_m", "test_wind_5dB"), ("ft_mtl", "test_wind_5dB")):
        write_emotions(tmp_path / f"{method}-7", name, labels, labels)
    write_enhancement(tmp_path / "se_only-7/score", "test_wind_0dB", labels, 2.0)  # without emotions anywhere
    runs = find_runs(tmp_path, ["ft_m", "ft_mtl", "se_only"], [7])
    message = "no emotion.csv in .*ft_mtl-7/score/test_wind_0dB, but in other conditions; run stage 6 for ft_mtl"
    with pytest.raises(MeritError, match=message):
        runs_with(runs, parse_condition("test_wind_0dB"), EMOTION_TABLE)
    found = runs_with(runs, parse_condition("test_wind_5dB"), EMOTION_TABLE)
    assert found == {"ft_m": runs[:1], "ft_mtl": runs[1:2]}
