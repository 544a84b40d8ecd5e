"""The benchmark command: its names, its rows, its errors. What is measured is checked by the benchmarks themselves."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "tools" / "benchmark"


@pytest.fixture
def measure():
    specification = importlib.util.spec_from_file_location("measure", BENCHMARKS / "measure.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def run(*arguments):
    return subprocess.run([BENCHMARKS / "run.sh", *arguments], capture_output=True, text=True)


@pytest.mark.parametrize(
    "figure, target, row",
    [
        (1.5, {"at_least": 1.5}, "speed: a\t1.5\tx\t>= 1.5\tmet"),
        (1.49, {"at_least": 1.5}, "speed: a\t1.49\tx\t>= 1.5\tshort"),
        (44.0, {"at_most": 45}, "speed: a\t44\tx\t<= 45\tmet"),
        (46.0, {"at_most": 45}, "speed: a\t46\tx\t<= 45\tshort"),
        (float("nan"), {"at_least": 1}, "speed: a\tnan\tx\t>= 1\tshort"),
        (None, {"at_least": 1}, "speed: a\t-\tx\t>= 1\tnot measured"),
        (12345.6, {}, "speed: a\t12346\tx\t-\t-"),
    ],
)
def test_rows(measure, capsys, monkeypatch, figure, target, row):
    monkeypatch.setattr(sys, "argv", ["tools/benchmark/speed.py"])
    measure.report("a", figure, "x", **target)
    assert capsys.readouterr().out == row + "\n"


def test_every_name_has_its_script():
    names = re.search(r"^names=\((.*)\)$", (BENCHMARKS / "run.sh").read_text(), re.MULTILINE)[1].split()
    assert names == "attention experts phase2_step phase1 shards batching mixing scoring bf16 memory smoe".split()
    assert all((BENCHMARKS / f"{name}.py").is_file() for name in names)


def test_one_benchmark_prints_rows_of_five_columns():
    done = run("--device", "cpu", "batching")
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows and all(len(row) == 5 and row[0].startswith("batching: ") for row in rows)
    assert {row[4] for row in rows} <= {"met", "-"}


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["speed"], "no benchmark 'speed'; there are attention experts"),
        (["--device", "tpu"], "--device is cpu or cuda, not 'tpu'"),
        (["--device"], "--device is cpu or cuda, not ''"),
    ],
)
def test_unknown_arguments_are_refused(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2 and message in done.stderr and not done.stdout
