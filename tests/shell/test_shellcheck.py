"""Every shell script of the repository is clean under shellcheck."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {".git", "data", "dump", "exp", "downloads"}


def shell_scripts() -> list[Path]:
    venvs = set(ROOT.glob("tools/venv*"))
    paths = (path for path in ROOT.rglob("*.sh") if not venvs & set(path.parents))
    return [*sorted(path for path in paths if not NOT_OURS & set(path.relative_to(ROOT).parts)), ROOT / ".ci/run"]


def test_shellcheck_finds_nothing() -> None:
    scripts = shell_scripts()
    assert len(scripts) > 10
    shellcheck = Path(sys.executable).with_name("shellcheck")
    result = subprocess.run([shellcheck, *scripts], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_executables_stop_at_the_first_error() -> None:
    for script in shell_scripts():
        if script.stat().st_mode & 0o100 and script.suffix == ".sh":
            assert "\nset -euo pipefail\n" in script.read_text(), script
