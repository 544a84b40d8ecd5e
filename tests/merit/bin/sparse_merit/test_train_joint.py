"""The command of phase 2."""

import pytest

from merit.bin.sparse_merit.train_joint import train_joint
from merit.command import run_command


@pytest.mark.parametrize("option", ["--training.epoch", "--training.epocks", "--model.num"])
def test_mistyped_and_half_typed_options_are_refused(option, monkeypatch, capsys):
    arguments = ["--train", "a", "--dev", "b", "--ssl", "c", "--output", "d", "--classes", "[x,y]", option, "3"]
    monkeypatch.setattr("sys.argv", ["train_joint", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_command(train_joint)
    assert ended.value.code == 2 and option in capsys.readouterr().err
