"""Tensors on disk, read back by safetensors itself."""

import errno
import os

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from merit.data import tensors
from merit.data.tensors import save_tensors
from merit.errors import MeritError


def test_what_is_saved_is_read_with_its_metadata(tmp_path):
    saved = {"a": torch.randn(3, 2).bfloat16(), "b": torch.arange(4)}
    path = tmp_path / "new" / "x.safetensors"
    save_tensors(saved, path, {"header": "{}"})
    found = load_file(path)
    assert found.keys() == saved.keys() and all(torch.equal(found[name], saved[name]) for name in saved)
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == {"header": "{}"}
    assert [file.name for file in path.parent.iterdir()] == ["x.safetensors"]


@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o027, 0o640)])
def test_the_umask_says_who_may_read(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        save_tensors({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    finally:
        os.umask(before)
    assert (tmp_path / "x.safetensors").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(
    "error, raised, sentence",
    [
        (f"I/O error: No space left on device (os error {errno.ENOSPC})", MeritError, "the disk is full"),
        (f"I/O error: Permission denied (os error {errno.EACCES})", PermissionError, "Permission denied"),
        ("no such type", SafetensorError, "no such type"),
    ],
)
def test_errors_of_safetensors_are_those_of_the_system(tmp_path, monkeypatch, error, raised, sentence):
    def fail(*arguments, **options):
        raise SafetensorError(error)

    (tmp_path / "x.safetensors").write_bytes(b"before")
    monkeypatch.setattr(tensors, "save_file", fail)
    with pytest.raises(raised, match=sentence):
        save_tensors({"a": torch.zeros(1)}, tmp_path / "x.safetensors")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"x.safetensors": b"before"}
