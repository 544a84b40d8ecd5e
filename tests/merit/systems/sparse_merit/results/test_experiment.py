"""Which runs there are, where they were tested, and that looking at them needs no model."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from made_experiment import make_labels, write_emotions, write_run

from merit.errors import MeritError
from merit.systems.sparse_merit.methods.method import title_of
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.results.experiment import FinishedRun, find_runs, open_experiment


@pytest.fixture
def exp(tmp_path):
    """Two runs with a tag, scored on the test and the dev set."""
    labels = make_labels(4)
    scored = {7: ("test_wind_0dB", "test", "dev_babble_5dB"), 17: ("test_babble_-5dB", "train_a_5dB")}
    for seed, conditions in scored.items():
        for condition in conditions:
            write_emotions(tmp_path / f"exp/ft_m_tiny-{seed}", condition, labels, labels)
    return tmp_path / "exp"


def test_runs_are_those_of_all_methods_and_seeds(exp):
    runs = find_runs(exp, ["ft_m"], [17, 7], "tiny")
    assert runs == [FinishedRun("ft_m", seed, exp / f"ft_m_tiny-{seed}") for seed in (17, 7)]
    assert runs[0].name == title_of("ft_m") == "FT-M" and title_of("mine") == "mine"
    with pytest.raises(MeritError, match="not scored yet: .*ft_m-7 .*ft_mtl-7; run stages 4 to 6"):
        find_runs(exp, ["ft_m", "ft_mtl"], [7])


def test_an_experiment_has_what_any_of_its_runs_was_scored_on(exp, tmp_path):
    runs = find_runs(exp, ["ft_m"], [7, 17], "tiny")
    experiment = open_experiment(runs, ["wind"], tmp_path / "data", tmp_path / "noisy")
    # The seen noise before the others.
    assert [condition.name for condition in experiment.conditions] == ["test", "test_wind_0dB", "test_babble_-5dB"]
    assert [condition.name for condition in experiment.mixed_conditions] == ["test_wind_0dB", "test_babble_-5dB"]
    assert [condition.name for condition in experiment.dev_conditions] == ["dev_babble_5dB"]
    assert experiment.runs == tuple(runs) and experiment.noisy == tmp_path / "noisy"
    condition = experiment.conditions[2]
    assert runs[1].score(condition) == exp / "ft_m_tiny-17/score/test_babble_-5dB"
    assert runs[1].decoded(condition) == exp / "ft_m_tiny-17/decode/test_babble_-5dB"


def test_a_dev_set_that_was_drawn_is_one(exp):
    labels = make_labels(4)
    write_emotions(exp / "ft_m_tiny-7", "dev_drawn", labels, labels)
    experiment = open_experiment(find_runs(exp, ["ft_m"], [7], "tiny"))
    assert [condition.name for condition in experiment.dev_conditions] == ["dev_drawn", "dev_babble_5dB"]
    assert all(condition.subset == "test" for condition in experiment.conditions)


def test_runs_that_were_not_tested_are_an_error(tmp_path):
    labels = make_labels(8)
    write_emotions(write_run(tmp_path, "ft_m", 7), "dev_babble_5dB", labels, labels)
    with pytest.raises(MeritError, match="none of the runs was scored on a test set"):
        open_experiment(find_runs(tmp_path, ["ft_m"], [7]))


def test_noises_are_said_to_be_seen_where_that_is_known(exp):
    runs = find_runs(exp, ["ft_m"], [7], "tiny")
    labels = [open_experiment(runs, ["babble"]).noise_label(noise) for noise in ("babble", "wind", "clean")]
    assert labels == ["babble (seen)", "wind (unseen)", "clean"]
    assert open_experiment(runs).noise_label("wind") == "wind"


def test_the_model_of_a_run_is_that_of_its_configuration(tmp_path):
    config = ModelConfig(tasks=("emotion",), num_experts=5, top_k=None)
    run = FinishedRun("dense_merit", 7, write_run(tmp_path, "dense_merit", 7, config))
    assert run.model_config() == config
    path = run.directory / "config.json"
    content = json.loads(path.read_text())
    content["description"]["model"]["colour"] = "red"
    path.write_text(json.dumps(content))
    with pytest.raises(MeritError, match="dense_merit-7: no model of Sparse MERIT .*colour"):
        run.model_config()


@pytest.mark.parametrize(
    "module", ["tables.comparison", "tables.run_report", "figures.figures", "page.html_report", "results.experiment"]
)
def test_a_table_of_scores_needs_neither_model_nor_hub(module):
    code = f"""
import sys
import merit.bin.sparse_merit.compare, merit.systems.sparse_merit.{module}
unwanted = ["huggingface_hub", "transformers", "accelerate", "merit.training.run"]
unwanted += [f"merit.systems.sparse_merit.{{name}}" for name in ("hub", "inference", "authors", "decoding")]
print(*(name for name in unwanted if name in sys.modules))
"""
    root = Path(__file__).parents[5]
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert (ended.stdout, ended.stderr) == ("\n", "")
