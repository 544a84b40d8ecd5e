"""Settings of the whole suite: one thread and one seed, so that results do not depend on the machine."""

import pytest
import torch


@pytest.fixture(autouse=True)
def reproducible():
    torch.set_num_threads(1)
    torch.manual_seed(0)
