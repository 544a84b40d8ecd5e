"""egs/distill/run.sh: which commands its stages call, in which order, and what is refused before anything runs."""

from pathlib import Path

import pytest
from recipe_stub import Recipe, call_of, modules, python_with

DISTILL_PYTHON = python_with(
    'distil) mkdir -p "$output" && touch "$output/model.safetensors" ;;\n'
    'export_student) mkdir -p "$output" && touch "$output/config.json" ;;\n'
    'probe_encoder) mkdir -p "$(dirname "$output")" && touch "$output" ;;\n'
    "compare_encoders) printf '# E\\n\\n## Encoders\\n\\n| F1 |\\n|---|\\n| 0.5 |\\n' >\"$output\" ;;\n"
)
DATA = """#!/usr/bin/env bash
echo "local/data.sh $1 $2 '$3' '${4:-}'" >>calls
for name in voices nemo mboshi probe dev; do mkdir -p "data/$name" && touch "data/$name/wav.scp"; done
"""
NEEDED = {
    "--teacher": "/models/large",
    "--speech": "nemo=../nemo/data/train",
    "--noise-train": "babble esc=/esc",
    "--probe-noise": "city=/city",
}


def options(**changes: str) -> list[str]:
    chosen = NEEDED | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return [word for pair in chosen.items() for word in pair]


@pytest.fixture
def distill(tmp_path: Path) -> Recipe:
    return Recipe(tmp_path, "distill", DATA, DISTILL_PYTHON)


def test_all_stages_run_in_order_once_and_end_with_the_table(distill: Recipe) -> None:
    asked = options(folders="mboshi=/mboshi", students="wavlm", snrs_probe="0 5")
    result = distill.run(*asked)
    assert result.returncode == 0, result.stderr
    noise = ["make_babble", *["mix_online"] * 3, *["mix_noise"] * 3]
    states = ["waveform_statistics", "dump_states"] * 3
    compared = ["probe_encoder", "train_heads"] * 2
    expected = ["local/data.sh", "local/data.sh", *noise, *states, "distil", "export_student", *compared]
    calls = distill.calls()
    assert modules(calls) == [*expected, "compare_encoders"]
    assert result.stdout == "exp/RESULTS.md\n\n## Encoders\n\n| F1 |\n|---|\n| 0.5 |\n\n"

    assert calls[:2] == [
        "local/data.sh data true 'nemo=../nemo/data/train' 'mboshi=/mboshi'",
        "local/data.sh data false 'probe=../nemo/data/train dev=../nemo/data/dev' ''",
    ]
    drawn = call_of(calls, "mix_online", "data/mboshi ")
    assert "--part train --noises [babble,esc=/esc] --snr=-5:25 --gain=-3:3" in drawn and "data/voices" in drawn
    train = call_of(calls, ".distil ")
    assert "--train [data/nemo_online,data/mboshi_online]" in train
    assert "--train_states [dump/states/nemo,dump/states/mboshi]" in train
    assert "--dev [data/dev_drawn] --dev_states [dump/states/dev]" in train
    probe = call_of(calls, "probe_encoder", "exp/wavlm-7/encoder")
    assert "--conditions [data/dev,data/dev_babble_5dB,data/dev_city_0dB,data/dev_city_5dB]" in probe
    table = call_of(calls, "compare_encoders")
    assert "--measured [teacher=exp/compare/teacher/probe.json,wavlm-7=exp/compare/wavlm-7/probe.json]" in table

    again = distill.run(*asked)
    assert again.returncode == 0 and again.stdout == result.stdout and distill.calls() == []


def test_a_changed_student_is_trained_again_and_the_others_are_not(distill: Recipe) -> None:
    assert distill.run(*options()).returncode == 0
    distill.calls()
    path = distill.folder / "conf/wavlm.yaml"
    path.write_text(path.read_text().replace("hidden_size: 160", "hidden_size: 128"))
    assert distill.run(*options()).returncode == 0
    changed = ["distil", "export_student", "probe_encoder", "train_heads", "compare_encoders"]
    assert modules(distill.calls()) == changed


def test_seeds_and_tags_are_runs_of_their_own(distill: Recipe) -> None:
    asked = options(students="wavlm", seeds="3 4", tag="try_it", stop_stage="5", train_args="--training.epochs 2")
    assert distill.run(*asked).returncode == 0
    calls = [call for call in distill.calls() if ".distil " in call]
    assert [call.partition(" --output ")[2] for call in calls] == [
        f"exp/wavlm_try_it-{seed} --seed {seed} --training.epochs 2" for seed in (3, 4)
    ]
    assert all("--config ./conf/training.yaml --config ./conf/wavlm.yaml" in call for call in calls)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher": ""}, "--teacher is needed"),
        ({"speech": ""}, "--speech is needed"),
        ({"noise_train": ""}, "--noise-train is needed"),
        ({"probe_noise": ""}, "--probe-noise is needed"),
        ({"probe_noise": "/city"}, "--probe-noise is name=folder, not '/city'"),
        ({"students": "wavlm big"}, "there is no conf/big.yaml"),
        ({"seeds": "x"}, "--seeds are whole numbers, not 'x'"),
        ({"stage": "7"}, "there are 1 to 6"),
        ({"students": "wavlm wavlm"}, "--students names wavlm twice"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(
    distill: Recipe, changes: dict[str, str], message: str
) -> None:
    result = distill.run(*options(**changes))
    assert result.returncode == 2 and message in result.stderr, result.stderr
    assert len(result.stderr.splitlines()) == 1 and distill.calls() == []
