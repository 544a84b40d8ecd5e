"""Options of the training that cannot be are refused."""

import pytest

from merit.errors import MeritError
from merit.systems.smoe.smoe_training import SmoeTraining


@pytest.mark.parametrize(
    "options, message",
    [
        ({"label_smoothing": 1.5}, "training.label_smoothing is 1.5; expected a number from 0 to 1"),
        ({"corrupt_task": -0.1}, "training.corrupt_task is -0.1"),
        ({"combine": "pcgrad"}, "a step is of one task here, set it to sum"),
        ({"average": 0}, "training.average is 0"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(MeritError, match=message):
        SmoeTraining(**options)
