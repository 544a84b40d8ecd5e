"""egs/TEMPLATE/mos.sh: which commands its stages call, in which order, and what is refused before anything runs."""

from pathlib import Path

import pytest
from recipe_stub import Recipe, call_of, modules, python_with

# The commands of MoE-MOS write other things than those of the first system; methods are read by the real Python.
MOS_PYTHON = python_with(
    'train) mkdir -p "$output" && touch "$output/model.safetensors" ;;\n'
    'predict) mkdir -p "$(dirname "$output")" && touch "$output" ;;\n'
    'tabulate) mkdir -p "$output"/tables "$output"/figures\n'
    "    printf '# R\\n\\n## S\\n\\n| A |\\n|---|\\n| 1 |\\n' >\"$output/RESULTS.md\" ;;\n"
)
DATA = """#!/usr/bin/env bash
echo "local/data.sh '$1' $2 ${*:3}" >>calls
for part in all train dev test fold1/train fold1/dev fold1/test fold2/train fold2/dev fold2/test; do
    mkdir -p "data/$part" && touch "data/$part/wav.scp" "data/$part/ratings.csv"
done
"""
SEEDS = ("--seeds", "7")
TWO = ["train", "train", "predict", "predict", "tabulate"]
START = ["local/data.sh", "validate_data_dir", "waveform_statistics", "dump_states", "dump_states", "dump_states"]


@pytest.fixture
def mos(tmp_path: Path) -> Recipe:
    """The mini recipe with the stub in place of Python."""
    return Recipe(tmp_path, "mini_mos", DATA, MOS_PYTHON)


def test_all_stages_run_in_order_once_and_end_with_the_table(mos: Recipe) -> None:
    result = mos.run(*SEEDS)
    assert result.returncode == 0, result.stderr
    assert modules(mos.calls()) == START + TWO
    assert result.stdout == "exp/RESULTS.md\n\n## S\n\n| A |\n|---|\n| 1 |\n\n"
    again = mos.run(*SEEDS)
    assert again.returncode == 0 and again.stdout == result.stdout and mos.calls() == []


def test_the_commands_are_given_what_the_options_say(mos: Recipe) -> None:
    options = ("--seeds", "9", "--tag", "try", "--methods", "moe_mos_n2", "--train-args", "--training.epochs 2")
    assert mos.run(*options).returncode == 0
    calls = mos.calls()
    train = call_of(calls, "moe_mos.train")
    assert "--config ./conf/mos.yaml --config ../TEMPLATE/conf/moe_mos/moe_mos_n2.yaml" in train
    assert "--train data/train --dev data/dev --statistics data/train/waveform_stats.json --freeze_ssl true" in train
    assert "--train_dump dump/states/whisper_mini/train --dev_dump dump/states/whisper_mini/dev" in train
    assert train.endswith("--output exp/moe_mos_n2_try-9 --seed 9 --training.epochs 2")
    predict = call_of(calls, "moe_mos.predict")
    assert "--model exp/moe_mos_n2_try-9 --data data/test --output exp/moe_mos_n2_try-9/predictions.csv" in predict
    assert predict.endswith("--dump dump/states/whisper_mini/test")
    table = call_of(calls, "moe_mos.tabulate")
    assert "--methods [moe_mos_n2] --seeds [9] --tag try --folds [] --test [data/test] --known [data/dev]" in table
    assert "--command './run.sh --seeds 9 --tag try" in table


def test_an_encoder_that_is_trained_needs_no_dump(mos: Recipe) -> None:
    assert mos.run(*SEEDS, "--methods", "moe_mos", "--freeze-ssl", "false").returncode == 0
    calls = mos.calls()
    assert "dump_states" not in modules(calls)
    assert "--freeze_ssl false --output" in call_of(calls, "moe_mos.train")
    assert "--dump" not in call_of(calls, "moe_mos.predict")


def test_another_method_trains_that_one_alone_and_a_changed_file_its_own(mos: Recipe) -> None:
    assert mos.run(*SEEDS, "--methods", "moe_mos").returncode == 0
    mos.calls()
    assert mos.run(*SEEDS, "--methods", "moe_mos moe_mos_n8").returncode == 0
    assert modules(mos.calls()) == ["train", "predict", "tabulate"]
    path = mos.folder / "../TEMPLATE/conf/moe_mos/moe_mos_n8.yaml"
    path.write_text(path.read_text().replace("title: MoE-MOS, N = 8", "title: Eight"))
    assert mos.run(*SEEDS, "--methods", "moe_mos moe_mos_n8").returncode == 0
    assert modules(mos.calls()) == ["tabulate"]  # a title changes no training
    path.write_text(path.read_text().replace("num_experts: 8", "num_experts: 6"))
    assert mos.run(*SEEDS, "--methods", "moe_mos moe_mos_n8").returncode == 0
    assert modules(mos.calls()) == ["train", "predict", "tabulate"]


def test_folds_share_one_dump_and_are_one_test(tmp_path: Path) -> None:
    recipe = Recipe(tmp_path, "p835", DATA, MOS_PYTHON)
    options = ("--p835", "/clones/P.808", "--folds", "fold1 fold2", "--methods", "moe_mos", "--scale", "sig")
    result = recipe.run(*options, *SEEDS)
    assert result.returncode == 0, result.stderr
    calls = recipe.calls()
    assert modules(calls) == [*START[:4], *TWO]
    assert calls[0] == "local/data.sh '/clones/P.808' data --scale sig --allow_missing false"
    dump = call_of(calls, "dump_states")
    assert "--data data/all" in dump and "--output dump/states/whisper-base/all" in dump
    second = call_of(calls, "moe_mos.train", "fold2")
    assert "--train data/fold2/train --dev data/fold2/dev --statistics data/all/waveform_stats.json" in second
    assert "--train_dump dump/states/whisper-base/all" in second and "--output exp/moe_mos-7/fold2" in second
    assert "--output exp/moe_mos-7/fold1/predictions.csv" in call_of(calls, "moe_mos.predict", "fold1/test")
    table = call_of(calls, "moe_mos.tabulate")
    assert "--folds [fold1,fold2] --test [data/all] --known [] --others [Training-mean=" in table


@pytest.mark.parametrize(
    "options, message",
    [
        (("--methods", "moe_mso"), "there is no ./conf/moe_mso.yaml, nor one in ../TEMPLATE/conf/moe_mos"),
        (("--methods", "moe_mos moe_mos"), "--methods names moe_mos twice"),
        (("--freeze-ssl", "yes"), "--freeze_ssl is true or false, not 'yes'"),
        (("--ngpu", "2"), "--ngpu is 0 or 1"),
        (("--stage", "6"), "there are 1 to 5"),
        (("--dump-dtype", "float32"), "--dump-dtype is bfloat16 or float16"),
        (("--train-args", "--training.epochz 3"), "epochz"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(mos: Recipe, options: tuple[str, ...], message: str) -> None:
    result = mos.run(*options)
    assert result.returncode == 2 and message in result.stderr, result.stderr
    assert mos.calls() == []


def test_a_mistyped_method_file_is_refused(mos: Recipe) -> None:
    (mos.folder / "conf/mine.yaml").write_text("title: Mine\nmodel:\n  experts: 3\n")
    result = mos.run("--methods", "mine")
    assert result.returncode == 2 and "experts" in result.stderr and mos.calls() == []
