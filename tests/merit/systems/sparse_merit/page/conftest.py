"""One experiment that all tests of the page listen to."""

import pytest
from listened_experiment import Listened


@pytest.fixture(scope="session")
def listened(tmp_path_factory, make_speech):
    return Listened(tmp_path_factory.mktemp("listened"), make_speech)
