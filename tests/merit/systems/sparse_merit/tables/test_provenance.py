"""What runs were trained with, and what speaks against comparing them."""

import re

import pytest
from made_experiment import make_labels, write_emotions, write_run

from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.results.experiment import find_runs
from merit.systems.sparse_merit.results.run_files import read_config
from merit.systems.sparse_merit.tables.provenance import comparison_warnings, encoder_name, provenance_table


@pytest.mark.parametrize(
    "changes, warning",
    [
        (dict(fingerprint="def"), "differ in encoders .*weights abc: ft_m-7; .*weights def: ft_mtl-7"),
        (dict(train="data/train_wind_0dB"), "differ in data to train and choose the epoch by .*train_wind_0dB"),
        (dict(train_labels="u"), "different utterances or labels .*ft_m-7; ft_mtl-7"),
    ],
)
def test_runs_that_cannot_be_compared_are_warned_about(tmp_path, changes, warning):
    write_run(tmp_path, "ft_m", 7)
    write_run(tmp_path, "ft_mtl", 7, **changes)
    (found,) = _warnings(tmp_path, ["ft_m", "ft_mtl"], [7])
    assert re.search(warning, found)


def test_seeds_with_different_models_are_warned_about(tmp_path):
    write_run(tmp_path, "ft_m", 7)
    write_run(tmp_path, "ft_m", 17, ModelConfig(front_end="weighted_sum", emotion_size=8))
    assert _warnings(tmp_path, ["ft_m"], [7, 17]) == [
        "the seeds of ft_m differ in their model or training options (config.json)."
    ]


def _warnings(folder, methods, seeds):
    labels = make_labels(8)
    for method in methods:
        for seed in seeds:
            write_emotions(folder / f"{method}-{seed}", "test_wind_0dB", labels, labels)
    runs = find_runs(folder, methods, seeds)
    return comparison_warnings({run: read_config(run.directory) for run in runs})


def test_the_table_has_a_row_a_method_and_the_warnings_below(experiment, tmp_path):
    table = provenance_table(experiment.runs)
    assert [cell.value for cell in table.rows[0]] == ["original", "7 17", "encoder (5 states of 16)", "train"]
    assert table.notes == ()  # `original` is trained on clean speech by design
    write_run(tmp_path, "ft_m", 7)
    write_run(tmp_path, "ft_mtl", 7, train_labels="u")
    for method in ("ft_m", "ft_mtl"):
        write_emotions(tmp_path / f"{method}-7", "test_wind_0dB", {"u": "sad"}, {"u": "sad"})
    (note,) = provenance_table(find_runs(tmp_path, ["ft_m", "ft_mtl"], [7])).notes
    assert note.startswith("Warning: the runs were trained with different utterances")


def test_folders_of_this_machine_are_not_in_the_name_of_an_encoder():
    assert encoder_name({"ssl": "/home/me/wavlm", "num_states": 3, "hidden_size": 8}) == "wavlm (3 states of 8)"
    assert encoder_name({"ssl": "a/b", "num_states": 3, "hidden_size": 8}) == "a/b (3 states of 8)"
