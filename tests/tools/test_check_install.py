"""tools/check_install.py: everything works where the tests run, and what does not is named with its mending line."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

PATH = Path(__file__).resolve().parents[2] / "tools/check_install.py"


@pytest.fixture
def check_install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_install", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_everything_works_here(check_install: ModuleType, capsys: pytest.CaptureFixture) -> None:
    assert check_install.main() == 0
    printed = capsys.readouterr().out
    for name, _, purpose in check_install.DEPENDENCIES:
        assert any(line.startswith(name) and line.endswith(purpose) for line in printed.splitlines()), name
    assert "PESQ" in printed and "FAILED" not in printed and "pip install" not in printed


def test_what_is_broken_is_named_with_the_line_that_mends_it(
    check_install: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pystoi", None)  # an import that fails
    dependencies = (("pystoi", "pystoi", "STOI"), ("no-such-thing", "x", "nothing"))
    monkeypatch.setattr(check_install, "DEPENDENCIES", dependencies)
    assert check_install.main() == 1
    printed = capsys.readouterr().out
    assert "scores: FAILED" in printed and "is not installed" in printed
    assert f"{sys.executable} -m pip install -c {PATH.with_name('constraints.txt')}" in printed
    assert "no-such-thing" in printed.splitlines()[-1] and "pystoi" in printed.splitlines()[-1]


def test_one_reader_of_kaldi_files_is_enough(
    check_install: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(check_install, "DEPENDENCIES", ())
    monkeypatch.setattr(check_install, "CHECKS", ())
    # Another installed distribution stands in for omniio.
    monkeypatch.setattr(check_install, "KALDI_READERS", (("no-kaldiio", "kaldiio"), ("numpy", "numpy")))
    assert check_install.main() == 0
    monkeypatch.setattr(check_install, "KALDI_READERS", (("no-kaldiio", "kaldiio"),))
    assert check_install.main() == 1
    assert "kaldiio" in capsys.readouterr().out.splitlines()[-1]


def test_convolutions_that_the_processor_has_wrong_are_named(
    check_install: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("merit.device.has_fast_bfloat16", lambda device: True)
    assert check_install.check_processor().endswith("right in all 4 convolutions tried")
    right = torch.nn.functional.conv1d

    def wrong(signal, weight, *arguments, **options):
        output = right(signal, weight, *arguments, **options)
        return -output if output.dtype == torch.bfloat16 and weight.shape[1] < 16 else output

    monkeypatch.setattr(torch.nn.functional, "conv1d", wrong)
    assert "wrong in the convolution of an encoder with 8 channels a group: float32" in check_install.check_processor()
