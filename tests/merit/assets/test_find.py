"""Models of the package by name."""

from pathlib import Path

import pytest

from merit.assets.find import FOLDER, find_asset


def test_a_model_of_the_package_is_found_by_its_name():
    assert find_asset("merit-tiny") == FOLDER / "merit-tiny"


@pytest.mark.parametrize("name", ["merit-huge", "__pycache__", "", ".", "..", "../assets/merit-tiny", "merit-tiny/"])
def test_what_is_no_name_of_a_model_finds_nothing(name):
    assert find_asset(name) is None


def test_every_model_has_its_card_and_is_small():
    folders = [path.parent for path in FOLDER.glob("*/config.json")]
    assert folders
    for folder in folders:
        assert (folder / "README.md").is_file(), folder.name
        assert sum(path.stat().st_size for path in folder.iterdir()) <= 8e6, folder.name


def test_every_model_is_installed_with_the_package():
    setup = (Path(__file__).parents[3] / "setup.py").read_text()
    for folder in (path.parent.name for path in FOLDER.glob("*/config.json")):
        assert f'"merit.assets": ["{folder}/*"]' in setup
