"""Models that come with the package are found by name."""

from pathlib import Path

import pytest

from merit import assets


def test_found_by_name_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    (tmp_path / "small").mkdir()
    assert assets.find_asset("small") is None
    (tmp_path / "small" / "config.json").write_text("{}")
    assert assets.find_asset("small") == tmp_path / "small"


@pytest.mark.parametrize("name", ["", "none", "microsoft/wavlm-large", "../assets", str(Path(__file__).parent)])
def test_other_names_are_none(name):
    assert assets.find_asset(name) is None
