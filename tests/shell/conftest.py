"""A recipe to run in the tests of egs/TEMPLATE."""

from pathlib import Path

import pytest
from recipe_stub import Recipe, mini_recipe


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return mini_recipe(tmp_path)
