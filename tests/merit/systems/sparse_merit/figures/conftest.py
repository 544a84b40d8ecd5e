"""Routed and other runs of two methods, and the scores of their noisy input."""

import numpy as np
import pytest
from routing_folder import CONDITIONS, make_run, write_enhancement

from merit.systems.sparse_merit.results.experiment import open_experiment


@pytest.fixture
def runs(tmp_path):
    return [
        make_run(tmp_path, "ft_m", 7, routed=False, heads=("emotion",)),
        make_run(tmp_path, "sparse_merit", 7),
        make_run(tmp_path, "sparse_merit", 17),
    ]


@pytest.fixture
def experiment(runs, tmp_path):
    for n, condition in enumerate(CONDITIONS):
        write_enhancement(tmp_path / "noisy" / condition / "enhancement.csv", np.random.default_rng(n), 0.0)
    return open_experiment(runs, ["babble"], tmp_path / "data", tmp_path / "noisy")
