"""The pages of a run and of an experiment."""

import pytest

from merit.errors import MeritError
from merit.systems.smoe.results.smoe_page import write_comparison, write_run_results


def test_the_page_of_a_run_has_its_scores(text_experiment, tmp_path):
    exp, tests = text_experiment
    write_run_results(exp / "base-7", tests, exp / "base-7/decode", tmp_path / "RESULTS.md", "./run.sh")
    text = (tmp_path / "RESULTS.md").read_text()
    assert text.startswith("# base-7\n") and "command: `./run.sh`" in text and "BLEU: nrefs:1" in text
    assert "narrow" in text and "| 6.2 |" in text
    assert (tmp_path / "scores.csv").read_text().startswith("set,bandwidth,wer,cer,bleu,chrf,rtf_transcribe")


def test_the_page_of_an_experiment_has_all_tables(text_experiment, tmp_path):
    exp, tests = text_experiment
    speed = tmp_path / "speed.csv"
    speed.write_text("experts,parameters,active,milliseconds,lowest,highest\n1,2,2,3.0,3.0,3.0\n")
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "base.yaml").write_text("title: Shared by all\n")
    write_comparison(exp, ["base", "encdec_smoe"], [7], tests, tmp_path / "out", conf=[conf], speed=speed)
    text = (tmp_path / "out/RESULTS.md").read_text()
    titles = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        "Environment",
        "Experiment",
        "Scores",
        "Relative change to Shared by all",
        "Significance",
        "Cost",
        "Wrong experts and wrong tags",
        "Wrong labels in the test",
        "Training of the experts",
        "Time by the number of experts",
    ]
    names = sorted(path.stem for path in (tmp_path / "out/tables").iterdir())
    assert names == [
        "cost", "label_noise", "relative", "scores", "significance", "speed", "updates", "wrong_experts",
    ]  # fmt: skip


def test_nothing_to_compare_is_refused(text_experiment, tmp_path):
    with pytest.raises(MeritError, match="at least one method, seed and data directory"):
        write_comparison(text_experiment[0], [], [7], text_experiment[1], tmp_path)
