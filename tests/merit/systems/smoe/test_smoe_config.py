"""Options of the model: what cannot be built is refused."""

import pytest

from merit.errors import MeritError
from merit.systems.smoe.smoe_config import SmoeModelConfig


@pytest.mark.parametrize(
    "options, message",
    [
        ({"encoder_experts": 0}, "model.encoder_experts is 0"),
        ({"size": 100}, "multiple of twice model.heads, 16"),
        ({"subsampling_channels": 7}, "model.subsampling_channels 7 even"),
    ],
)
def test_what_cannot_be_built_is_refused(options, message):
    with pytest.raises(MeritError, match=message):
        SmoeModelConfig(**options)
