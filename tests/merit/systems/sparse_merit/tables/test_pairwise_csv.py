"""Every pair of methods in the two CSV files of significance."""

import csv
import io
from statistics import fmean

import pytest
from made_experiment import CLASSES, open_made, scores_of, write_emotions
from scipy import stats

from merit.systems.sparse_merit.results.emotion_comparison import compare_emotions
from merit.systems.sparse_merit.tables.pairwise_csv import bootstrap_csv, welch_csv


def test_significance_csv_has_every_pair_of_methods(made, comparisons):
    folder, labels = made
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


def test_bootstrap_csv_mirrors_the_pairs(comparisons):
    lines = list(csv.DictReader(io.StringIO(bootstrap_csv(comparisons))))
    assert len(lines) == 3 * 2 * 4 * 3
    found = {(line["noise"], line["snr"], line["measure"], line["method"], line["other"]): line for line in lines}
    for (*place, method, other), line in found.items():
        mirrored = found[(*place, other, method)]
        assert float(line["difference"]) == pytest.approx(-float(mirrored["difference"]))
        assert float(line["low"]) == pytest.approx(-float(mirrored["high"]))
        assert (line["utterances"], line["resamples"]) == ("58", "100")


def test_equal_methods_have_no_p_value_and_clean_speech_a_name(tmp_path):
    labels = {f"u{n}": CLASSES[n % 4] for n in range(40)}
    for method in ("ft_m", "ft_mtl"):
        write_emotions(tmp_path / "exp" / f"{method}-7", "test", labels, labels)
    comparisons = compare_emotions(open_made(tmp_path, ["ft_m", "ft_mtl"], [7]), resamples=20)
    lines = list(csv.DictReader(io.StringIO(welch_csv(comparisons))))
    assert {(line["p"], line["significant"]) for line in lines} == {("", "no")}
    assert {(line["snr"], line["noise"]) for line in lines} == {("clean", "clean")}
