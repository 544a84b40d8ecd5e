"""utils/parse_options.sh: an option is what a script has declared before it."""

import subprocess
from pathlib import Path

import pytest

PARSE_OPTIONS = Path(__file__).resolve().parents[2] / "utils/parse_options.sh"

SCRIPT = """#!/usr/bin/env bash
# Counts things.
#
# Usage: count.sh [options] FILE

set -euo pipefail
. "$(dirname "$0")/defaults.sh"
nj=4             # processes
noise_seen="a b"
verbose=false    # say more
UPPER=1
count "$@"
after=1
"""
DEFAULTS = f"""
noise_seen=none  # noise of the training
seed=7           # of everything random
count() {{
    local inner=1
    . "{PARSE_OPTIONS}"
    printf '%s|' "$nj" "$noise_seen" "$verbose" "$seed" "$@"
}}
"""


@pytest.fixture
def run(tmp_path: Path):
    (tmp_path / "count.sh").write_text(SCRIPT)
    (tmp_path / "defaults.sh").write_text(DEFAULTS)

    def run_script(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(["bash", "count.sh", *arguments], cwd=tmp_path, capture_output=True, text=True)

    return run_script


def test_without_options_the_declared_values_hold(run) -> None:
    assert run().stdout == "4|a b|false|7|"


@pytest.mark.parametrize("spelling", ["--noise-seen", "--noise_seen"])
def test_both_spellings_of_an_option(run, spelling: str) -> None:
    assert run(spelling, "c d", "--seed", "8", "--verbose", "true").stdout == "4|c d|true|8|"


def test_an_empty_value_and_one_that_looks_like_options(run) -> None:
    assert run("--nj", "", "--noise-seen", "--training.epochs 1 $(exit) `exit`").stdout == (
        "|--training.epochs 1 $(exit) `exit`|false|7|"
    )


def test_what_follows_the_options_is_left(run) -> None:
    assert run("--nj", "2", "file", "--nj", "3").stdout == "2|a b|false|7|file|--nj|3|"
    assert run("--", "--nj").stdout == "4|a b|false|7|--nj|"


@pytest.mark.parametrize("option", ["--jn", "--after", "--inner", "--UPPER", "--PATH", "--nj.x", "--n."])
def test_an_option_that_was_not_declared_is_refused(run, option: str) -> None:
    result = run(option, "3")
    assert result.returncode == 2 and result.stdout == ""
    assert f"unknown option {option}" in result.stderr and "--help" in result.stderr


def test_other_mistakes_are_refused_with_a_reason(run) -> None:
    for arguments, reason in (
        (["--nj"], "--nj needs a value"),
        (["--nj=3"], "write '--nj 3' instead of '--nj=3'"),
        (["--verbose", "yes"], "--verbose is true or false, not 'yes'"),
        (["--config", "no-such-file"], "--config no-such-file: no such file"),
        (["--config"], "--config needs a value"),
    ):
        result = run(*arguments)
        assert result.returncode == 2 and reason in result.stderr, arguments


def test_help_prints_the_header_and_every_option_with_its_default(run) -> None:
    result = run("--help")
    assert result.returncode == 0
    header, _, options = result.stdout.partition("\nOptions and their defaults:\n")
    assert header == "Counts things.\n\nUsage: count.sh [options] FILE\n"
    lines = [" ".join(line.split()) for line in options.splitlines()]
    assert lines[:-1] == [
        "--nj 4 processes",
        '--noise-seen "a b" noise of the training',
        "--verbose false say more",
        "--seed 7 of everything random",
    ]
    assert lines[-1].startswith("--config FILE")


def test_a_config_file_is_read_before_the_other_options(run, tmp_path: Path) -> None:
    (tmp_path / "my.conf").write_text("# mine\nnj=2\nseed=5\n")
    assert run("--seed", "6", "--config", "my.conf").stdout == "2|a b|false|6|"
    (tmp_path / "my.conf").write_text("nj=2\nsede=5\n")
    result = run("--config", "my.conf")
    assert result.returncode == 2 and "my.conf: sede is not an option" in result.stderr
    (tmp_path / "my.conf").write_text("verbose=1\n")
    assert "--verbose is true or false, not '1'" in run("--config", "my.conf").stderr
