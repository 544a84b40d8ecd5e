"""Command line of train_heads: which heads it asks for, with which options."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from merit.bin.sparse_merit.train_heads import train_heads
from merit.command import run_command
from merit.systems.sparse_merit.phases import phase1

COMMON = ["--train", "a", "--dev", "b", "--ssl", "c", "--classes", "[x,y]"]


@pytest.fixture
def called(monkeypatch, tmp_path):
    """Function: what phase1_trainer is given for a command line."""
    monkeypatch.chdir(tmp_path)

    def call(*options):
        found = []
        trainer = SimpleNamespace(fit=lambda: None)
        monkeypatch.setattr(phase1, "phase1_trainer", lambda *arguments: found.extend(arguments) or trainer)
        monkeypatch.setattr("sys.argv", ["train_heads", *COMMON, *map(str, options)])
        run_command(train_heads)
        return found

    return call


def test_heads_are_as_their_files_say_and_changes_apply_to_all(called, tmp_path):
    ser, se = tmp_path / "ser.yaml", tmp_path / "se.yaml"
    ser.write_text("training:\n  epochs: 20\n  batch_size: 32\nmodel:\n  front_end: moe\n  emotion_size: 8\n")
    se.write_text("training:\n  epochs: 130\n  batch_size: 16\n  crop_seconds: 1.28\n")
    options = ["--emotion", ser, "--emotion.seeds", "[7,17]", "--emotion.output", "exp/phase1_ser_try-{seed}"]
    options += ["--enhancement", se, "--enhancement.seeds", "[17]", "--order_seed", "3"]
    options += ["--training.epochs", "2", "--training.patience", "null", "--model.layer_norm", "false"]
    heads, train, dev, ssl, classes, order_seed, dump = called(*options)
    assert (str(train), str(dev), ssl, classes, order_seed, dump) == ("a", "b", "c", ["x", "y"], 3, None)
    found = [(head.task, str(head.output), head.seed, head.training.batch_size) for head in heads]
    assert found == [
        ("emotion", "exp/phase1_ser_try-7", 7, 32),
        ("emotion", "exp/phase1_ser_try-17", 17, 32),
        ("enhancement", "exp/phase1-17", 17, 16),
    ]
    assert all(head.training.epochs == 2 and head.model.layer_norm is False for head in heads)
    assert heads[0].model.front_end == "moe" and heads[0].model.emotion_size == 8
    assert heads[2].model.front_end == "weighted_sum" and heads[2].training.crop_seconds == 1.28


def test_dumps_are_given_for_both_sets(called, capsys):
    *_, dump = called("--emotion.seeds", "[7]", "--train_dump", "f/train", "--dev_dump", "f/dev")
    assert dump == phase1.Dump(Path("f/train"), Path("f/dev"))
    with pytest.raises(SystemExit, match="train_dump and dev_dump: give both"):
        called("--emotion.seeds", "[7]", "--train_dump", "f/train")


def test_without_seeds_there_is_nothing_to_train(called):
    with pytest.raises(SystemExit, match="nothing to train: give --emotion.seeds or --enhancement.seeds"):
        called()


@pytest.mark.parametrize("option", [("--training.epocks", "3"), ("--training.epochs", "x"), ("--model.top", "1")])
def test_mistyped_changes_are_refused(called, capsys, option):
    with pytest.raises(SystemExit) as ended:
        called("--emotion.seeds", "[7]", *option)
    assert ended.value.code == 2 and option[0].split(".")[0].strip("-") in capsys.readouterr().err
