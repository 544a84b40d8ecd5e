"""Tables I and VI and the paired bootstrap against scipy and scikit-learn."""

from statistics import fmean, stdev

import pytest
from made_experiment import CLASSES, RECOGNISING, cell, open_made, scores_of, whole_f1, write_emotions
from scipy import stats

from merit.systems.sparse_merit.results.emotion_comparison import compare_emotions
from merit.systems.sparse_merit.tables.emotion_tables import table_1, table_1_bootstrap, table_6

LETTERS = dict(zip(RECOGNISING, "abcd"))


def test_table_1_has_means_markers_and_best_by_scipy_and_scikit_learn(made, comparisons):
    folder, labels = made
    table = table_1(comparisons)
    scores = {method: scores_of(folder, labels, method, "test_babble_-5dB") for method in RECOGNISING}
    markers = 0
    for measure in ("f1_macro", "f1_micro"):
        best = max(RECOGNISING, key=lambda method, measure=measure: fmean(scores[method][measure]))
        for method in RECOGNISING:
            own = scores[method][measure]
            found = cell(table, -5, method, "babble", measure)
            assert found.value == pytest.approx(fmean(own))
            assert cell(table, -5, method, "babble", f"{measure}_std").value == pytest.approx(stdev(own))
            beaten = [
                LETTERS[other]
                for other in RECOGNISING
                if stats.ttest_ind(own, scores[other][measure], equal_var=False, alternative="greater").pvalue <= 0.05
            ]
            assert found.markers == "".join(beaten)
            assert found.bold == (method == best)
            markers += len(beaten)
    assert markers  # the example has some


def test_table_1_has_a_row_for_each_snr_and_method_and_columns_for_each_noise(comparisons):
    table = table_1(comparisons)
    assert [(row[0].value, row[1].value) for row in table.rows] == [(s, m) for s in (-5, 5) for m in RECOGNISING]
    assert [row[1].markers for row in table.rows[:4]] == ["(a)", "(b)", "(c)", "(d)"]
    shown = [(column.group, column.label) for column in table.columns[2:] if column.shown]
    assert shown == [(n, f) for n in ("babble", "wind") for f in ("F1-macro", "F1-micro")]
    assert cell(table, 5, "original", "wind", "f1_macro").value is None  # wind was not mixed at 5 dB


def test_table_1_says_how_many_scores_and_utterances_it_has(comparisons):
    notes = " ".join(table_1(comparisons).notes)
    for part in ("10 scores", "58 utterances", "11 to 12 utterances", "one-tailed Welch", "not independent"):
        assert part in notes


@pytest.mark.parametrize("measure", ["f1_macro", "f1_micro"])
def test_bootstrap_table_has_differences_to_the_reference(made, comparisons, measure):
    table = table_1_bootstrap(comparisons, "sparse_merit")
    assert {row[1].value for row in table.rows} == set(RECOGNISING) - {"sparse_merit"}
    for method in ("original", "ft_mtl"):
        difference = cell(table, -5, method, "wind", f"{measure}_difference")
        low, high = (cell(table, -5, method, "wind", f"{measure}_{end}").value for end in ("low", "high"))
        own, reference = (whole_f1(*made, m, "test_wind_-5dB", measure) for m in (method, "sparse_merit"))
        assert difference.value == pytest.approx(own - reference)
        assert low < difference.value < high
        assert difference.text == f"{difference.value:+.3f} [{low:+.3f}, {high:+.3f}]"
        assert difference.markers == ("*" if low > 0 or high < 0 else "")
    assert cell(table, -5, "original", "wind", f"{measure}_difference").markers == "*"
    better = table_1_bootstrap(comparisons, "original")
    assert cell(better, -5, "sparse_merit", "wind", f"{measure}_difference").markers == "*"


def test_table_6_compares_the_balancing_loss_on_the_whole_test_set(made, comparisons):
    table = table_6(comparisons)
    assert [row[1].value for row in table.rows] == ["sparse_merit", "sparse_merit_balance"] * 2
    for method in ("sparse_merit", "sparse_merit_balance"):
        for measure in ("f1_macro", "f1_micro"):
            expected = whole_f1(*made, method, "test_babble_5dB", measure)
            assert cell(table, 5, method, "babble", measure).value == pytest.approx(expected)


def test_equal_methods_are_not_significantly_better(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(40)}
    for method in ("ft_m", "ft_mtl"):
        write_emotions(tmp_path / "exp" / f"{method}-7", "test_babble_0dB", labels, labels)
    table = table_1(compare_emotions(open_made(tmp_path, ["ft_m", "ft_mtl"], [7]), resamples=20))
    assert [row[2].markers for row in table.rows] == ["", ""] and all(row[2].bold for row in table.rows)
