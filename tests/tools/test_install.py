"""tools/install.sh, and tests/run.sh, which calls it: what they ask of Python and pip, and when nothing is to do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Stands in for a Python of version $VERSION: makes environments that hold itself, and only notes what pip is asked.
PYTHON = r"""#!/usr/bin/env bash
self=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
case "$*" in
*"not (3, 10) <="*) case $VERSION in 3.1[0-3]) exit 0 ;; *) exit 1 ;; esac ;;
*"sys.exit('%d.%d'"*) case $* in *"!= '$(cat "$(dirname "$self")/pip")')") ;; *) exit 1 ;; esac ;;
"-c import pip") [ -f "$(dirname "$self")/pip" ] ;;
*"import pesq"*) false ;;
*"print(sys.executable)"*) echo "$self" ;;
*'print("%d.%d"'*) echo "$VERSION" ;;
*"import ensurepip"*) [ "${ENSUREPIP:-true}" = true ] ;;
*"-m venv --clear"*) mkdir -p "$4/bin" && cp "$self" "$4/bin/python" && echo "$VERSION" >"$4/bin/pip" ;;
*"-m pip install"*) echo "$self $*" >>"$CALLS"; [ "${PIP:-works}" = works ] ;;
*"-m pytest"*) echo "$PWD: $self $*" >>"$CALLS" ;;
*) echo "unexpected: $*" >&2; exit 64 ;;
esac
"""


class Checkout:
    """A copy of what install.sh reads, and a PATH on which only a stub of python3.12 works."""

    def __init__(self, root: Path) -> None:
        self.root, self.calls_file = root / "merit", root / "calls"
        (self.root / "tools").mkdir(parents=True)
        (self.root / "tests").mkdir()
        for name in ("setup.py", "tools/install.sh", "tools/constraints.txt", "tests/run.sh"):
            shutil.copy(ROOT / name, self.root / name)
        self.bin = root / "bin"
        self.bin.mkdir()
        for name in ("python3.11", "python3.12", "python3.13", "python3.10", "python3", "python"):
            works = name in ("python3.12", "python")
            (self.bin / name).write_text(PYTHON if works else "#!/bin/sh\necho no such version >&2; exit 127\n")
            (self.bin / name).chmod(0o755)

    def install(self, *options: str, **environment: str) -> subprocess.CompletedProcess:
        return self.call("tools/install.sh", *options, **environment)

    def call(self, script: str, *options: str, **environment: str) -> subprocess.CompletedProcess:
        variables = {"PATH": f"{self.bin}:{os.environ['PATH']}", "CALLS": str(self.calls_file), "VERSION": "3.12"}
        command = [str(self.root / script), *options]
        return subprocess.run(command, cwd="/", env=variables | environment, capture_output=True, text=True)

    def pip_calls(self) -> list[str]:
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        self.calls_file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_python_that_works_makes_the_environment_once(checkout: Checkout) -> None:
    venv_python = checkout.root / "tools/venv/bin/python"
    result = checkout.install()
    assert result.returncode == 0, result.stderr
    assert "making" in result.stdout and "python3.12" in result.stdout
    (call,) = checkout.pip_calls()
    constraints = checkout.root / "tools/constraints.txt"
    assert call == f"{venv_python} -m pip install --constraint {constraints} --editable {checkout.root}[test]"
    assert (checkout.root / "tools/venv/installed").read_text().splitlines()[1] == str(venv_python)
    assert "nothing to do" in checkout.install().stdout
    assert checkout.install("--quiet").stdout == ""
    assert checkout.pip_calls() == []


def test_an_installation_that_failed_is_completed_by_the_next_run(checkout: Checkout) -> None:
    result = checkout.install(PIP="breaks")
    assert result.returncode == 1 and "run tools/install.sh again" in result.stderr
    result = checkout.install("--quiet")
    assert result.returncode == 0 and "making" not in result.stdout
    (checkout.root / "tools/venv/installed").unlink()
    (checkout.root / "tools/venv/bin/pip").unlink()  # stopped while the environment was made
    assert "making" in checkout.install().stdout
    assert len(checkout.pip_calls()) == 3


@pytest.mark.parametrize("name", ["setup.py", "tools/constraints.txt"])
def test_other_requirements_are_installed(checkout: Checkout, name: str) -> None:
    checkout.install()
    with (checkout.root / name).open("a") as file:
        file.write("# changed\n")
    assert checkout.install("--quiet").returncode == 0
    assert len(checkout.pip_calls()) == 2


def test_the_active_environment_is_used_when_asked_and_stays_the_one(checkout: Checkout) -> None:
    assert checkout.install("--active", "--index", "https://example.org/cpu").returncode == 0
    (call,) = checkout.pip_calls()
    assert call.startswith(f"{checkout.bin}/python -m pip")
    assert call.endswith("--extra-index-url https://example.org/cpu")
    assert (checkout.root / "tools/venv/installed").read_text().splitlines()[1] == f"{checkout.bin}/python"
    assert "nothing to do" in checkout.install().stdout
    with (checkout.root / "setup.py").open("a") as file:
        file.write("# changed\n")
    checkout.install()
    assert checkout.pip_calls()[0].startswith(f"{checkout.bin}/python -m pip")


def test_an_environment_is_made_again_only_for_another_version(checkout: Checkout) -> None:
    assert checkout.install("--python", "python3.12", PIP="breaks").returncode == 1
    result = checkout.install("--python", "python3.12")
    assert result.returncode == 0 and "making" not in result.stdout
    assert len(checkout.pip_calls()) == 2
    assert "nothing to do" in checkout.install("--python", "python").stdout
    assert checkout.pip_calls() == []
    result = checkout.install("--python", "python", VERSION="3.13")
    assert result.returncode == 0 and "(3.13)" in result.stdout
    assert len(checkout.pip_calls()) == 1


def test_tests_run_on_another_python_in_an_environment_of_its_own(checkout: Checkout) -> None:
    def pytest_call(venv: str, *options: str) -> str:
        options = ("-m", "pytest", "-o", "testpaths=tests", *options)
        return " ".join((f"{checkout.root}:", f"{checkout.root}/tools/{venv}/bin/python", *options))

    assert checkout.call("tests/run.sh", "-q").returncode == 0
    assert checkout.pip_calls()[1:] == [pytest_call("venv", "-q")]
    of_3_13 = {"VERSION": "3.13"}
    assert checkout.call("tests/run.sh", "--python", "python", "-q", "tests/shell", **of_3_13).returncode == 0
    pip, tests = checkout.pip_calls()
    assert pip.startswith(f"{checkout.root}/tools/venv-3.13/bin/python -m pip install")
    assert tests == pytest_call("venv-3.13", "-q", "tests/shell")
    assert checkout.call("tests/run.sh", "--python", "python", **of_3_13).stdout == ""
    assert checkout.pip_calls() == [pytest_call("venv-3.13")]
    assert checkout.call("tests/run.sh").stdout == ""  # tools/venv is as it was
    assert checkout.pip_calls() == [pytest_call("venv")]
    for options in (["--python"], ["--python", "python3.9"]):
        result = checkout.call("tests/run.sh", *options)
        assert result.returncode == 2 and "is not a working Python" in result.stderr
    assert checkout.pip_calls() == []


def test_what_is_missing_is_said(checkout: Checkout) -> None:
    for options, environment, reason in (
        ([], {"VERSION": "3.14"}, "found no Python 3.10, 3.11, 3.12 or 3.13"),
        (["--python", "python3.9"], {}, "python3.9 is not a working Python"),
        ([], {"ENSUREPIP": "false"}, "apt install python3.12-venv"),
        ([], {"CC": "no-such-compiler", "PATH": f"{checkout.bin}:/nonexistent"}, "found no C compiler"),
        (["--pyhton"], {}, "unknown option --pyhton"),
        (["--index"], {}, "--index needs a value"),
    ):
        if "PATH" in environment:  # everything but compilers
            for program in ("bash", "env", "cat", "cksum", "dirname", "basename", "mkdir", "cp", "touch", "sed", "rm"):
                (checkout.bin / program).symlink_to(shutil.which(program))
        result = checkout.install(*options, **environment)
        assert result.returncode == 1 and reason in result.stderr, (options, result.stderr)
    assert checkout.pip_calls() == []


def test_help_needs_nothing(checkout: Checkout) -> None:
    result = checkout.install("--help", VERSION="2.7")
    assert result.returncode == 0
    for option in ("--python P", "--venv DIR", "--index URL", "--active", "--quiet"):
        assert option in result.stdout
