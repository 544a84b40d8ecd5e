"""An encoder is measured into a file."""

import json

import pytest
from made_mixing import make_online_set


@pytest.fixture
def speakers(corpus, tmp_path):
    """The training set by three speakers."""
    make_online_set(corpus["train"], tmp_path)
    return tmp_path / "train"


def test_what_is_measured(corpus, tiny_encoder, speakers, command, tmp_path):
    result = command(
        "probe_encoder",
        "--ssl",
        tiny_encoder,
        "--train",
        str(speakers),
        "--conditions",
        f"[{corpus['dev']}]",
        "--output",
        str(tmp_path / "probe.json"),
    )
    assert result.returncode == 0, result.stderr
    measured = json.loads((tmp_path / "probe.json").read_text())
    assert (measured["states"], measured["width"]) == (3, 16) and 0 <= measured["probe"]["dev"] <= 1
    assert measured["speed"].keys() == {"float32", "bfloat16"} and min(measured["speed"].values()) > 0
