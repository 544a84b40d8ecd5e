"""Commands that write a directory leave it alone while another one writes there."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from merit.bin.sparse_merit.decode import decode
from merit.bin.sparse_merit.enhance_data import enhance_data
from merit.bin.sparse_merit.train_heads import HeadOptions, train_heads
from merit.bin.sparse_merit.train_joint import train_joint
from merit.data.statistics import WaveformStatistics
from merit.dumping.dump import dump_states
from merit.errors import MeritError
from merit.jobs import lock

CLASSES = ["angry", "happy"]
NOWHERE = Path("nowhere")
COMMANDS: dict[str, Callable[[Path], None]] = {
    "train_heads": lambda out: train_heads(
        NOWHERE, NOWHERE, "none", CLASSES, HeadOptions(seeds=[7], output=f"{out.parent}/out{{seed}}")
    ),
    "train_joint": lambda out: train_joint(NOWHERE, NOWHERE, "none", out, CLASSES),
    "dump_states": lambda out: dump_states(NOWHERE, "none", out, out.parent / "statistics.json"),
    "decode": lambda out: decode(NOWHERE, [NOWHERE / out.name], out.parent),
    "enhance_data": lambda out: enhance_data(NOWHERE, [NOWHERE / out.name], out.parent),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_directory_that_another_command_writes_is_refused(tmp_path: Path, monkeypatch, command: str) -> None:
    WaveformStatistics(0.0, 1.0, 9).save(tmp_path / "statistics.json")
    out = tmp_path / "out7"
    code = "import sys, time, pathlib; from merit.jobs.lock import sole_writer\n"
    code += "with sole_writer(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    other = subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "held\n"
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", -1.0)
    times = iter(range(9))
    monkeypatch.setattr(lock, "_touched", lambda path: next(times))
    try:
        with pytest.raises(MeritError, match=f"{out}: process {other.pid} on .* is writing here"):
            COMMANDS[command](out)
    finally:
        other.kill()
        other.wait()
