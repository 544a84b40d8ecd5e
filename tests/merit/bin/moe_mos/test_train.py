"""The training command: all stages, their options, and what is refused."""

import pytest
import yaml

from merit.bin.moe_mos.train import train
from merit.errors import MeritError
from merit.systems.moe_mos.stage_options import STAGES, classification_stage, joint_stage, mos_stage


def test_options_for_all_stages_and_a_choice_of_stages(monkeypatch, tmp_path):
    seen = {}

    def stages(inputs, model, stages, output, seed):
        seen.update(inputs=inputs, stages=stages, seed=seed)

    monkeypatch.setattr("merit.systems.moe_mos.stages.train_stages", stages)
    monkeypatch.setattr("merit.data.statistics.WaveformStatistics.load", lambda path: path)
    common = {"train": tmp_path, "dev": tmp_path, "ssl": "x", "statistics": tmp_path, "output": tmp_path / "run"}
    train(**common, train_dump=tmp_path, dev_dump=tmp_path, training={"epochs": 3}, stages=["mos", "joint"], seed=9)
    assert list(seen["stages"]) == ["joint", "mos"] and seen["seed"] == 9 and seen["inputs"].frozen
    assert [stage.epochs for stage in seen["stages"].values()] == [3, 3]
    assert seen["stages"]["mos"].learning_rate == mos_stage().learning_rate
    train(**common, train_dump=tmp_path, dev_dump=tmp_path, freeze_ssl=False)
    assert list(seen["stages"]) == list(STAGES) and not seen["inputs"].frozen
    with pytest.raises(MeritError, match="give --train_dump and --dev_dump"):
        train(**common)


def test_defaults_of_the_command_are_the_stages(capsys, monkeypatch):
    import sys

    from merit.command import run_command

    monkeypatch.setattr(sys, "argv", ["train", "--print_config", "--joint.epochs", "5"])
    with pytest.raises(SystemExit):
        run_command(train)
    shown = yaml.safe_load(capsys.readouterr().out)
    assert shown["joint"]["epochs"] == 5 and shown["joint"]["learning_rate"] == joint_stage().learning_rate
    assert shown["classification"]["mos_share"] == classification_stage().mos_share
