"""A recipe to run in the tests of egs/TEMPLATE."""

from pathlib import Path

import pytest
from recipe_stub import Recipe


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return Recipe(tmp_path)
