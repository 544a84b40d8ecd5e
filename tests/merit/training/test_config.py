"""Options of a training that make no training."""

from dataclasses import replace

import pytest
from tiny_training import TRAINING

from merit.errors import MeritError


@pytest.mark.parametrize("name", ["epochs", "batch_size", "micro_batch_size"])
def test_nothing_to_do_is_refused(name):
    with pytest.raises(MeritError, match=f"training.{name} is 0"):
        replace(TRAINING, **{name: 0})


@pytest.mark.parametrize("name", ["batch_seconds", "micro_batch_seconds"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_batches_without_audio_are_refused(name, value):
    with pytest.raises(MeritError, match=f"training.{name} is {value:g}; it must be above 0"):
        replace(TRAINING, **{name: value})
