import csv
import io
import math
from statistics import fmean, stdev

import pytest
from made_experiment import CLASSES, CONDITIONS, GAIN, SEEDS, guess, make_experiment, write_emotions, write_enhancement
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score

from merit.errors import MeritError
from merit.metrics.emotion_table import read_emotion_table
from merit.metrics.significance import disjoint_subsets
from merit.report.table import records
from merit.systems.sparse_merit.results.conditions import parse_condition
from merit.systems.sparse_merit.results.emotion_comparison import compare_emotions
from merit.systems.sparse_merit.results.experiment import conditions_of, find_runs
from merit.systems.sparse_merit.tables.pairwise_csv import bootstrap_csv, welch_csv
from merit.systems.sparse_merit.tables.emotion_tables import table_1, table_1_bootstrap, table_6
from merit.systems.sparse_merit.tables.enhancement_tables import enhancement_scores, table_2, table_7
from merit.systems.sparse_merit.tables.experts_table import table_3

METHODS = ("original", "se_only", "ft_mtl", "sparse_merit", "sparse_merit_balance")
RECOGNISING = ("original", "ft_mtl", "sparse_merit", "sparse_merit_balance")
LETTERS = dict(zip(RECOGNISING, "abcd"))


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """Folder, labels, runs and test conditions."""
    folder = tmp_path_factory.mktemp("experiment")
    labels = make_experiment(folder)
    runs = find_runs(folder / "exp", METHODS, SEEDS)
    return folder, labels, runs, conditions_of(runs, ["babble"])


@pytest.fixture(scope="module")
def comparisons(experiment):
    *_, runs, conditions = experiment
    return compare_emotions(runs, conditions, resamples=100)


def scores_of(folder, labels, method, condition):
    """F1-macro and F1-micro of every seed on every subset, by scikit-learn."""
    subsets = disjoint_subsets(labels)
    macro, micro = [], []
    for seed in SEEDS:
        table = read_emotion_table(folder / "exp" / f"{method}-{seed}" / "score" / condition / "emotion.csv")
        for number in range(5):
            utts = [utt for utt in labels if subsets[utt] == number]
            reference, found = [labels[utt] for utt in utts], [table.hypothesis[utt] for utt in utts]
            macro.append(f1_score(reference, found, labels=CLASSES, average="macro", zero_division=0))
            micro.append(accuracy_score(reference, found))
    return {"f1_macro": macro, "f1_micro": micro}


def cell(table, snr, method, group, key):
    """The cell of a row and column."""
    place = next(n for n, column in enumerate(table.columns) if (column.group, column.key) == (group, key))
    return next(row[place] for row in table.rows if (row[0].value, row[1].value) == (snr, method))


def test_table_1_has_means_markers_and_best_by_scipy_and_scikit_learn(experiment, comparisons):
    folder, labels, *_ = experiment
    table = table_1(comparisons, ["babble"])
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
    table = table_1(comparisons, ["babble"])
    assert [(row[0].value, row[1].value) for row in table.rows] == [(s, m) for s in (-5, 5) for m in RECOGNISING]
    assert [row[1].markers for row in table.rows[:4]] == ["(a)", "(b)", "(c)", "(d)"]
    shown = [(column.group_label, column.label) for column in table.columns[2:] if column.shown]
    assert shown == [(n, f) for n in ("babble (seen)", "wind (unseen)") for f in ("F1-macro", "F1-micro")]
    assert cell(table, 5, "original", "wind", "f1_macro").value is None  # wind was not mixed at 5 dB


def test_table_1_says_how_many_scores_and_utterances_it_has(comparisons):
    notes = " ".join(table_1(comparisons).notes)
    for part in ("10 scores", "58 utterances", "11 to 12 utterances", "one-tailed Welch", "not independent"):
        assert part in notes


def test_significance_csv_has_every_pair_of_methods(experiment, comparisons):
    folder, labels, *_ = experiment
    lines = list(csv.DictReader(io.StringIO(welch_csv(comparisons))))
    assert len(lines) == 3 * 2 * 4 * 3  # conditions, measures, ordered pairs
    line = next(
        line
        for line in lines
        if [line[key] for key in ("snr", "noise", "measure", "method", "other")]
        == ["-5.0", "wind", "f1_macro", "sparse_merit", "original"]
    )
    own, other = (scores_of(folder, labels, m, "test_wind_-5dB")["f1_macro"] for m in ("sparse_merit", "original"))
    p = stats.ttest_ind(own, other, equal_var=False, alternative="greater").pvalue
    assert float(line["p"]) == pytest.approx(p) and line["scores"] == "10"
    assert line["significant"] == ("yes" if p <= 0.05 else "no")
    assert [float(line["mean"]), float(line["other_mean"])] == pytest.approx([fmean(own), fmean(other)])


def whole_f1(experiment, method, condition, measure):
    """Of the whole test set, mean over the seeds."""
    folder, labels, *_ = experiment
    values = []
    for seed in SEEDS:
        table = read_emotion_table(folder / "exp" / f"{method}-{seed}" / "score" / condition / "emotion.csv")
        found = [table.hypothesis[utt] for utt in labels]
        values.append(f1_score(list(labels.values()), found, average=measure.removeprefix("f1_")))
    return fmean(values)


@pytest.mark.parametrize("measure", ["f1_macro", "f1_micro"])
def test_bootstrap_table_has_differences_to_the_reference(experiment, comparisons, measure):
    table = table_1_bootstrap(comparisons, "sparse_merit", ["babble"])
    assert {row[1].value for row in table.rows} == set(RECOGNISING) - {"sparse_merit"}
    for method in ("original", "ft_mtl"):
        difference = cell(table, -5, method, "wind", f"{measure}_difference")
        low, high = (cell(table, -5, method, "wind", f"{measure}_{end}").value for end in ("low", "high"))
        own, reference = (whole_f1(experiment, m, "test_wind_-5dB", measure) for m in (method, "sparse_merit"))
        assert difference.value == pytest.approx(own - reference)
        assert low < difference.value < high
        assert difference.text == f"{difference.value:+.3f} [{low:+.3f}, {high:+.3f}]"
        assert difference.markers == ("*" if low > 0 or high < 0 else "")
    assert cell(table, -5, "original", "wind", f"{measure}_difference").markers == "*"


def test_bootstrap_csv_mirrors_the_pairs(comparisons):
    lines = list(csv.DictReader(io.StringIO(bootstrap_csv(comparisons))))
    assert len(lines) == 3 * 2 * 4 * 3
    found = {(line["noise"], line["snr"], line["measure"], line["method"], line["other"]): line for line in lines}
    for (*place, method, other), line in found.items():
        mirrored = found[(*place, other, method)]
        assert float(line["difference"]) == pytest.approx(-float(mirrored["difference"]))
        assert float(line["low"]) == pytest.approx(-float(mirrored["high"]))
        assert (line["utterances"], line["resamples"]) == ("58", "100")


def test_table_6_compares_the_balancing_loss_on_the_whole_test_set(experiment, comparisons):
    table = table_6(comparisons, ["babble"])
    assert [row[1].value for row in table.rows] == ["sparse_merit", "sparse_merit_balance"] * 2
    for method in ("sparse_merit", "sparse_merit_balance"):
        for measure in ("f1_macro", "f1_micro"):
            expected = whole_f1(experiment, method, "test_babble_5dB", measure)
            assert cell(table, 5, method, "babble", measure).value == pytest.approx(expected)


def expected_mean(value, count=58):
    return fmean(value + number / 10 for number in range(count))


def test_table_2_has_the_noisy_row_and_means_over_the_seeds(experiment):
    folder, _, runs, conditions = experiment
    table = table_2(enhancement_scores(runs, conditions, folder / "noisy"), ["babble"])
    assert [row[1].text for row in table.rows[:2]] == ["Noisy", "Fine-tuned"]
    assert {row[1].value for row in table.rows} == {"noisy", *GAIN}  # `original` does not enhance
    number = CONDITIONS.index("test_wind_-5dB")
    assert cell(table, -5, "noisy", "wind", "PESQ").value == pytest.approx(expected_mean(1.0 + number))
    for measure in ("PESQ", "STOI"):
        expected = [expected_mean(GAIN["ft_mtl"] + number + seed / 100) for seed in SEEDS]
        assert cell(table, -5, "ft_mtl", "wind", measure).value == pytest.approx(fmean(expected))
        assert cell(table, -5, "ft_mtl", "wind", f"{measure}_std").value == pytest.approx(stdev(expected))
    assert [row[1].value for row in table.rows if row[2].bold] == ["se_only"] * 2
    assert "58 utterances and 2 seeds" in table.notes[0] and "matlab" in table.notes[0]


def test_undefined_scores_stay_out_of_the_mean_and_are_counted(tmp_path):
    folder = tmp_path
    labels = make_experiment(folder, utterances=4)
    runs = find_runs(folder / "exp", ["ft_mtl"], SEEDS)
    (folder / "exp/ft_mtl-7/score/test_wind_-5dB/enhancement.csv").unlink()
    (folder / "exp/ft_mtl-7/score/test_wind_-5dB/enhancement.jsonl").unlink()
    write_enhancement(runs[0].directory / "score", "test_wind_-5dB", labels, lambda n: math.nan if n == 0 else 2.0)
    table = table_2(enhancement_scores(runs, [parse_condition("test_wind_-5dB")], None))
    expected = fmean([2.0, expected_mean(2.0 + 2 + 0.17, count=4)])
    assert cell(table, -5, "ft_mtl", "wind", "SSNR").value == pytest.approx(expected)
    assert cell(table, -5, "ft_mtl", "wind", "undefined").value == 6
    assert "6 scores are undefined" in table.notes[1]


def test_table_7_compares_the_balancing_loss(experiment):
    folder, _, runs, conditions = experiment
    table = table_7(enhancement_scores(runs, conditions, folder / "noisy"))
    assert [row[1].value for row in table.rows] == ["sparse_merit", "sparse_merit_balance"] * 2
    expected = fmean(expected_mean(GAIN["sparse_merit_balance"] + seed / 100) for seed in SEEDS)
    assert cell(table, -5, "sparse_merit_balance", "babble", "COVL").value == pytest.approx(expected)


def test_table_3_is_on_the_dev_set_over_the_number_of_experts(experiment):
    *_, runs, _ = experiment
    table = table_3(runs, conditions_of(runs, subset="dev"))
    (record,) = records(table)
    assert (record["snr"], record["noise"], record["experts"], record["seeds"]) == (5, "babble", 3, 2)
    assert record["f1_macro"] == pytest.approx(whole_f1(experiment, "sparse_merit", "dev_babble_5dB", "f1_macro"))
    assert record["SSNR"] == pytest.approx(fmean(expected_mean(GAIN["sparse_merit"] + 3 + s / 100) for s in SEEDS))


def test_table_3_is_sorted_by_the_number_of_experts(tmp_path):
    from made_experiment import make_labels, write_run

    from merit.systems.sparse_merit.model import ModelConfig

    labels = make_labels(20)
    for method, experts, accuracy in (
        ("sparse_merit", 3, 0.9),
        ("sparse_merit_n9", 9, 0.5),
        ("sparse_merit_n1", 1, 0.7),
    ):
        run = write_run(tmp_path, method, 7, ModelConfig(num_experts=experts))
        write_emotions(run, "dev_babble_5dB", labels, guess(labels, accuracy, experts))
    runs = find_runs(tmp_path, ["sparse_merit", "sparse_merit_n9", "sparse_merit_n1"], [7])
    table = table_3(runs, conditions_of(runs, subset="dev"))
    assert [row[2].value for row in table.rows] == [1, 3, 9]
    assert [row[3].bold for row in table.rows] == [False, True, False]
    assert all(math.isnan(row[4].value) for row in table.rows)  # nothing was enhanced


def test_methods_without_experts_have_no_table_3(experiment):
    *_, runs, _ = experiment
    others = [run for run in runs if run.method in ("original", "ft_mtl")]
    assert table_3(others, conditions_of(others, subset="dev")) is None


def test_one_seed_and_a_class_that_is_rare(tmp_path):
    labels = {f"u{n}": "angry" if n == 0 else CLASSES[1 + n % 3] for n in range(25)}
    for method, accuracy in (("ft_m", 0.5), ("ft_mtl", 0.9)):
        write_emotions(tmp_path / f"{method}-7", "test_babble_0dB", labels, guess(labels, accuracy, 1))
    runs = find_runs(tmp_path, ["ft_m", "ft_mtl"], [7])
    (comparison,) = compare_emotions(runs, conditions_of(runs), resamples=50)
    subsets = disjoint_subsets(labels)
    table = read_emotion_table(tmp_path / "ft_mtl-7/score/test_babble_0dB/emotion.csv")
    for number in range(5):
        utts = [utt for utt in labels if subsets[utt] == number]
        pair = [labels[u] for u in utts], [table.hypothesis[u] for u in utts]
        # "angry" is in one subset alone; in the others it counts as 0 unless it was recognised there.
        expected = f1_score(*pair, labels=CLASSES, average="macro", zero_division=0)
        assert comparison.subsets["ft_mtl"]["f1_macro"][number] == pytest.approx(expected)
    assert "5 scores" in table_1([comparison]).notes[0]


def test_equal_methods_are_not_significantly_better(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(40)}
    for method in ("ft_m", "ft_mtl"):
        write_emotions(tmp_path / f"{method}-7", "test_babble_0dB", labels, labels)
    runs = find_runs(tmp_path, ["ft_m", "ft_mtl"], [7])
    comparisons = compare_emotions(runs, conditions_of(runs), resamples=20)
    table = table_1(comparisons)
    assert [row[2].markers for row in table.rows] == ["", ""] and all(row[2].bold for row in table.rows)
    lines = list(csv.DictReader(io.StringIO(welch_csv(comparisons))))
    assert {(line["p"], line["significant"]) for line in lines} == {("", "no")}


def test_clean_speech_has_its_own_row_and_column(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(20)}
    write_emotions(tmp_path / "ft_m-7", "test", labels, guess(labels, 0.5, 0))
    write_emotions(tmp_path / "ft_m-7", "test_wind_2.5dB", labels, guess(labels, 0.5, 1))
    runs = find_runs(tmp_path, ["ft_m"], [7])
    table = table_1(compare_emotions(runs, conditions_of(runs, ["babble"]), resamples=5), ["babble"])
    assert [(row[0].shown(3), row[2].value is None, row[6].value is None) for row in table.rows] == [
        ("clean", False, True),
        ("2.5", True, False),
    ]
    assert [column.group_label for column in table.columns if column.shown][2::2] == ["clean", "wind (unseen)"]


def test_a_seed_without_scores_is_an_error(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(20)}
    write_emotions(tmp_path / "ft_m-7", "test_wind_0dB", labels, labels)
    write_emotions(tmp_path / "ft_m-17", "test_wind_5dB", labels, labels)
    runs = find_runs(tmp_path, ["ft_m"], [7, 17])
    with pytest.raises(MeritError, match="no emotion.csv in .*ft_m-17/score/test_wind_0dB"):
        compare_emotions(runs, [parse_condition("test_wind_0dB")])


def test_a_condition_that_one_method_lacks_is_an_error_and_no_gap(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(20)}
    for method, name in (("ft_m", "test_wind_0dB"), ("ft_m", "test_wind_5dB"), ("ft_mtl", "test_wind_5dB")):
        write_emotions(tmp_path / f"{method}-7", name, labels, labels)
    write_enhancement(tmp_path / "se_only-7/score", "test_wind_0dB", labels, 2.0)  # without emotions anywhere
    runs = find_runs(tmp_path, ["ft_m", "ft_mtl", "se_only"], [7])
    message = "no emotion.csv in .*ft_mtl-7/score/test_wind_0dB, but in other conditions; run stage 6 for ft_mtl"
    with pytest.raises(MeritError, match=message):
        compare_emotions(runs, conditions_of(runs))


def test_other_utterances_are_an_error(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(20)}
    write_emotions(tmp_path / "ft_m-7", "test_wind_0dB", labels, labels)
    changed = {**labels, "u3": "angry"}
    write_emotions(tmp_path / "ft_mtl-7", "test_wind_0dB", changed, changed)
    runs = find_runs(tmp_path, ["ft_m", "ft_mtl"], [7])
    with pytest.raises(MeritError, match="ft_mtl-7.*emotion.csv: .* as of u3; only runs on the same test set"):
        compare_emotions(runs, conditions_of(runs))


def test_composite_variants_and_utterances_are_not_mixed(tmp_path):
    labels = {f"u{n}": "angry" for n in range(3)}
    condition = [parse_condition("test_wind_0dB")]
    write_enhancement(tmp_path / "ft_mtl-7/score", "test_wind_0dB", labels, 2.0, "cmgan")
    write_enhancement(tmp_path / "noisy", "test_wind_0dB", labels, 1.0, "matlab")
    runs = find_runs(tmp_path, ["ft_mtl"], [7])
    with pytest.raises(MeritError, match=r"different composite variants \(cmgan, matlab\)"):
        enhancement_scores(runs, condition, tmp_path / "noisy")
    write_enhancement(tmp_path / "other", "test_wind_0dB", ["u1"], 1.0, "cmgan")
    with pytest.raises(MeritError, match="numbers of scored utterances differ .noisy 1, ft_mtl 3"):
        enhancement_scores(runs, condition, tmp_path / "other")
    with pytest.raises(MeritError, match="nowhere.*enhancement.csv: not there; score the condition first"):
        enhancement_scores(runs, condition, tmp_path / "nowhere")
