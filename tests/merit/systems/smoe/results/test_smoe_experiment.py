"""Runs of an experiment, averaged over seeds."""

import shutil

import pytest
from made_texts import ENGLISH, FRENCH, ONE_WRONG, write_decoded

from merit.errors import MeritError
from merit.systems.smoe.results.smoe_experiment import find_runs, folder_of, read_tests


def test_scores_are_averaged_over_the_seeds(text_experiment):
    exp, directories = text_experiment
    shutil.copytree(exp / "base-7", exp / "base-17")
    write_decoded(exp / "base-17/decode/test", ENGLISH, FRENCH, seconds=4.0)
    (base,) = find_runs(exp, ["base"], [7, 17], "", [])
    test, _ = read_tests(directories, [base])
    assert base.mean_scores(test)["wer"] == pytest.approx((100 / 16 + 0) / 2)
    assert base.mean_cost(test)["rtf_transcribe"] == pytest.approx(0.3)
    expected = [list(ONE_WRONG.values()), list(ENGLISH.values())]
    assert base.hypotheses(test, "transcribe") == expected and base.probes() == []


def test_parameters_are_those_of_the_model(text_experiment):
    base, experts = find_runs(text_experiment[0], ["base", "encdec_smoe"], [7], "", [])
    assert base.parameters()[0] == base.parameters()[1] == experts.parameters()[1] < experts.parameters()[0]
    layer = 2 * 16 * 24 + 24 + 16
    assert experts.parameters()[0] - base.parameters()[0] == 4 * layer  # two blocks each side


def test_a_run_that_is_not_there_is_named(text_experiment):
    with pytest.raises(MeritError, match="base_try-7: no config.json"):
        find_runs(text_experiment[0], ["base"], [7], "try", [])


def test_folders_of_the_ways():
    assert folder_of("given") == "decode" and folder_of("other_tag") == "probe/other_tag"
