"""Disk space is looked at before anything is written."""

import shutil
from collections import namedtuple

import pytest

from merit.data.states.disk_space import require_disk_space
from merit.errors import MeritError


def test_disk_space_is_compared_before_writing(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, 5 * 10**9))
    require_disk_space(tmp_path / "new", 5 * 10**9)
    with pytest.raises(MeritError, match="5.001 GB are needed and 5.000 GB are free"):
        require_disk_space(tmp_path, 5_001_000_000)
