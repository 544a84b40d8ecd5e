"""Every Python file of the repository is clean and formatted under ruff, in the syntax of the oldest Python."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def ruff(command: str, *arguments: str | Path) -> subprocess.CompletedProcess:
    """Run a command of ruff with the settings of the repository, wherever the files lie."""
    options = ["--no-cache", "--config", ROOT / "ruff.toml", *arguments]
    program = Path(sys.executable).with_name("ruff")
    return subprocess.run([program, command, *options], cwd=ROOT, capture_output=True, text=True)


def check(*arguments: str | Path) -> subprocess.CompletedProcess:
    """Look for errors."""
    return ruff("check", "--output-format", "concise", *arguments)


def test_ruff_finds_nothing() -> None:
    files = check("--show-files", ROOT).stdout.splitlines()
    for path in ("setup.py", "merit/cli.py", "tests/conftest.py", "utils/run_job.py", "egs/mini/local/make_noise.py"):
        assert str(ROOT / path) in files
    assert not any("site-packages" in file for file in files)
    result = check(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_ruff_would_format_nothing(tmp_path: Path) -> None:
    result = ruff("format", "--check", ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    unformatted = tmp_path / "unformatted.py"
    unformatted.write_text("x = {'a':1}\n")
    assert ruff("format", "--check", unformatted).returncode == 1


@pytest.mark.parametrize(
    "line",
    [
        "print({}[*[1], 2])",  # 3.11
        "try:\n    pass\nexcept* ValueError:\n    pass",  # 3.11
        "print(f'{'a'}')",  # 3.12: the quotes of the string again inside it
        "type Pair = tuple[int, int]",  # 3.12
    ],
)
def test_newer_syntax_than_the_oldest_python_has_is_found(tmp_path: Path, line: str) -> None:
    path = tmp_path / "newer.py"
    path.write_text(f"{line}\n")
    result = check(path)
    assert result.returncode == 1 and "on Python 3.10" in result.stdout, result.stdout
