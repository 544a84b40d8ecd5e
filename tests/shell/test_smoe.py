"""egs/TEMPLATE/smoe.sh: which commands its stages call, in which order, and what is refused before anything runs."""

from pathlib import Path

import pytest
from recipe_stub import Recipe, call_of, modules, python_with

# The commands of S-MoE write other things than those of the first system; methods are read by the real Python.
SMOE_PYTHON = python_with(
    'narrow_band) mkdir -p "$output" && touch "$output/wav.scp" ;;\n'
    'dump_features) mkdir -p "$output" && touch "$output/header.json" ;;\n'
    'make_vocabulary) touch "$output" ;;\n'
    'train_speech_to_text) mkdir -p "$output" && touch "$output/model.safetensors" ;;\n'
    "decode) for set in ${data//[\\[\\],]/ }; do\n"
    '    set=$output/${set##*/} && mkdir -p "$set" && touch "$set/transcribe.json" "$set/translate.json"; done ;;\n'
    'score) touch "$output" ;;\n'
    'probe) mkdir -p "$output" && touch "$output/probe.json" ;;\n'
    'measure_speed) touch "$output" ;;\n'
    'compare) mkdir -p "$output/tables"\n'
    "    printf '# R\\n\\n## S\\n\\n| A |\\n|---|\\n| 1 |\\n' >\"$output/RESULTS.md\" ;;\n"
)
DATA = """#!/usr/bin/env bash
echo "local/data.sh '$1' $2 ${*:3}" >>calls
for part in train dev test; do mkdir -p "data/$part" && touch "data/$part/wav.scp"; done
"""
START = ["local/data.sh", "validate_data_dir", *["narrow_band"] * 3, *["dump_features"] * 4, "make_vocabulary"]
RUN = ["decode", "score", "probe"]
END = ["measure_speed", "compare"]
TRAIN = "train_speech_to_text"


@pytest.fixture
def smoe(tmp_path: Path) -> Recipe:
    """The mini recipe with the stub in place of Python."""
    return Recipe(tmp_path, "mini_s2t", DATA, SMOE_PYTHON)


def test_all_stages_run_in_order_once_and_end_with_the_table(smoe: Recipe) -> None:
    result = smoe.run()
    assert result.returncode == 0, result.stderr
    assert modules(smoe.calls()) == [*START, TRAIN, *RUN, *END]
    assert result.stdout == "exp/RESULTS.md\n\n## S\n\n| A |\n|---|\n| 1 |\n\n"
    again = smoe.run()
    assert again.returncode == 0 and again.stdout == result.stdout and smoe.calls() == []


def test_the_commands_are_given_what_the_options_say(smoe: Recipe) -> None:
    options = ("--seeds", "9", "--tag", "try", "--methods", "dec_smoe", "--train-args", "--training.epochs 2")
    assert smoe.run(*options, "--beam", "3", "--narrow-band", "mu_law").returncode == 0
    calls = smoe.calls()
    narrow = call_of(calls, "narrow_band", "data/dev")
    assert "--output data/dev_narrow --audio dump/audio/dev_narrow_mu_law --codec mu_law" in narrow
    train = call_of(calls, TRAIN)
    assert "--config ./conf/smoe.yaml --config ../TEMPLATE/conf/smoe/dec_smoe.yaml" in train
    assert "--train [data/train,data/train_narrow] --dev [data/dev,data/dev_narrow]" in train
    assert "--source_lang en --target_lang fr" in train and "--vocabulary data/vocabulary.model" in train
    assert "--train_dumps [dump/features/train,dump/features/train_narrow]" in train
    assert train.endswith("--output exp/dec_smoe_try-9 --seed 9 --training.epochs 2")
    decode = call_of(calls, "smoe.decode")
    assert "--model exp/dec_smoe_try-9 --data [data/test,data/test_narrow]" in decode
    assert decode.endswith("--output exp/dec_smoe_try-9/decode --search.beam 3 --search.length_power 1.0")
    vocabulary = call_of(calls, "make_vocabulary")
    assert "--data [data/train] --languages [en,fr] --size 400" in vocabulary
    table = call_of(calls, "smoe.compare")
    assert "--methods [dec_smoe] --seeds [9] --tag try --test [data/test,data/test_narrow]" in table
    assert "--speed exp/speed.csv" in table and "--command './run.sh --seeds 9" in table


def test_a_corpus_of_telephone_speech_has_no_copies_and_features_may_stay_undumped(smoe: Recipe) -> None:
    assert smoe.run("--narrow-band", "none", "--feats", "online", "--probe", "false").returncode == 0
    calls = smoe.calls()
    assert modules(calls) == [*START[:2], "make_vocabulary", TRAIN, "decode", "score", "compare"]
    assert "--train [data/train] --dev [data/dev]" in call_of(calls, TRAIN)
    assert "dumps" not in call_of(calls, TRAIN) and "--speed" not in call_of(calls, "smoe.compare")


def test_an_upcycled_method_starts_from_the_base_of_its_seed(smoe: Recipe) -> None:
    result = smoe.run("--methods", "base upcycled", "--seeds", "7 17")
    assert result.returncode == 0, result.stderr
    calls = smoe.calls()
    assert modules(calls) == [*START, *[TRAIN] * 4, *RUN * 4, *END]
    assert "--upcycle_from exp/base-17 --output exp/upcycled-17" in call_of(calls, TRAIN, "exp/upcycled-17")
    refused = smoe.run("--methods", "upcycled base")
    assert refused.returncode == 2 and "upcycled starts from base; name that one before it" in refused.stderr


def test_a_changed_method_trains_that_one_alone(smoe: Recipe) -> None:
    assert smoe.run("--methods", "base encdec_smoe").returncode == 0
    smoe.calls()
    path = smoe.folder / "../TEMPLATE/conf/smoe/encdec_smoe.yaml"
    path.write_text(path.read_text().replace("title: EncDecS-MoE", "title: Both"))
    assert smoe.run("--methods", "base encdec_smoe").returncode == 0
    assert modules(smoe.calls()) == ["compare"]  # a title changes no training
    path.write_text(path.read_text().replace("decoder_experts: 2", "decoder_experts: 3"))
    assert smoe.run("--methods", "base encdec_smoe").returncode == 0
    assert modules(smoe.calls()) == [TRAIN, *RUN, "compare"]


@pytest.mark.parametrize(
    "options, message",
    [
        (("--methods", "encdec"), "there is no ./conf/encdec.yaml, nor one in ../TEMPLATE/conf/smoe"),
        (("--methods", "base base"), "--methods names base twice"),
        (("--narrow-band", "gsm"), "--narrow-band is resample, mu_law or none, not 'gsm'"),
        (("--feats", "none"), "--feats is dump or online"),
        (("--target-lang", "en"), "--target-lang is another language than --source-lang"),
        (("--beam", "0"), "--beam is at least 1"),
        (("--stage", "8"), "there are 1 to 7"),
        (("--train-args", "--training.epochz 3"), "epochz"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(smoe: Recipe, options: tuple[str, ...], message: str) -> None:
    result = smoe.run(*options)
    assert result.returncode == 2 and message in result.stderr, result.stderr
    assert smoe.calls() == []
