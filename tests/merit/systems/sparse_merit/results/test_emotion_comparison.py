"""Scores of all methods in one condition against scikit-learn."""

import pytest
from made_experiment import CLASSES, guess, open_made, write_emotions
from sklearn.metrics import f1_score

from merit.errors import MeritError
from merit.metrics.label_table import read_label_table
from merit.metrics.significance import disjoint_subsets
from merit.systems.sparse_merit.results.emotion_comparison import compare_emotions


def test_one_seed_and_a_class_that_is_rare(tmp_path):
    labels = {f"u{n}": "angry" if n == 0 else CLASSES[1 + n % 3] for n in range(25)}
    for method, accuracy in (("ft_m", 0.5), ("ft_mtl", 0.9)):
        write_emotions(tmp_path / f"exp/{method}-7", "test_babble_0dB", labels, guess(labels, accuracy, 1))
    (comparison,) = compare_emotions(open_made(tmp_path, ["ft_m", "ft_mtl"], [7]), resamples=50)
    subsets = disjoint_subsets(labels)
    table = read_label_table(tmp_path / "exp/ft_mtl-7/score/test_babble_0dB/emotion.csv")
    for number in range(5):
        utts = [utt for utt in labels if subsets[utt] == number]
        pair = [labels[u] for u in utts], [table.hypothesis[u] for u in utts]
        # "angry" is in one subset alone; in the others it counts as 0 unless it was recognised there.
        expected = f1_score(*pair, labels=CLASSES, average="macro", zero_division=0)
        assert comparison.subsets["ft_mtl"]["f1_macro"][number] == pytest.approx(expected)
    assert comparison.subset_sizes == (5,) * 5 and comparison.utterances == 25


def test_other_utterances_are_an_error(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(20)}
    write_emotions(tmp_path / "exp/ft_m-7", "test_wind_0dB", labels, labels)
    changed = {**labels, "u3": "angry"}
    write_emotions(tmp_path / "exp/ft_mtl-7", "test_wind_0dB", changed, changed)
    experiment = open_made(tmp_path, ["ft_m", "ft_mtl"], [7])
    with pytest.raises(MeritError, match="ft_mtl-7.*emotion.csv: .* as of u3; only runs on the same test set"):
        compare_emotions(experiment)


def test_empty_scores_are_an_error(tmp_path):
    write_emotions(tmp_path / "exp/ft_m-7", "test_wind_0dB", {}, {})
    with pytest.raises(MeritError, match="test_wind_0dB: the emotion scores are empty"):
        compare_emotions(open_made(tmp_path, ["ft_m"], [7]))


def test_one_method_is_better_than_another_that_it_significantly_beats(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(60)}
    for method, accuracy in (("ft_m", 0.2), ("ft_mtl", 0.95)):
        write_emotions(tmp_path / f"exp/{method}-7", "test", labels, guess(labels, accuracy, 1))
    (comparison,) = compare_emotions(open_made(tmp_path, ["ft_m", "ft_mtl"], [7]), resamples=5)
    assert comparison.beats("ft_mtl", "ft_m", "f1_macro") and not comparison.beats("ft_m", "ft_mtl", "f1_macro")
    assert comparison.p("ft_mtl", "ft_m", "f1_macro") < 0.05 < comparison.p("ft_m", "ft_mtl", "f1_macro")
    assert comparison.mean("ft_mtl", "f1_micro") > 0.8 > 0.5 > comparison.mean("ft_m", "f1_micro")
