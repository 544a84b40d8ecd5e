from pathlib import Path

import pytest

from merit.data.noise.online.noise_options import NoiseOption, parse_noises, parse_share
from merit.errors import MeritError


def test_names_weights_and_folders_are_read():
    found = parse_noises(["esc-10@2.5=/a=b@c", "wind=/x y", "babble@.5"], "--noise-train")
    assert found == [
        NoiseOption("esc-10", 2.5, Path("/a=b@c")),
        NoiseOption("wind", 1.0, Path("/x y")),
        NoiseOption("babble", 0.5, None),
    ]
    assert parse_noises(["babble=/own"], "x") == [NoiseOption("babble", 1.0, Path("/own"))]


@pytest.mark.parametrize(
    "words, reason",
    [
        ([], "--noise-train names no noise"),
        (["esc"], "--noise-train: 'esc' is not name=folder, name@weight=folder or babble"),
        (["e_c=/a"], "'e_c=/a' is not name=folder"),
        (["=/a"], "'=/a' is not name=folder"),
        (["esc="], "'esc=' is not name=folder"),
        (["a=/a", "a@2=/b"], "--noise-train: two noises are called a"),
        *[
            ([f"esc@{weight}=/a"], f"the weight '{weight}' is no number above 0")
            for weight in ("0", "-1", "inf", "nan", "", "two")
        ],
    ],
)
def test_what_cannot_be_drawn_from_is_refused(words, reason):
    with pytest.raises(MeritError) as error:
        parse_noises(words, "--noise-train")
    assert reason in str(error.value)


def test_shares_are_from_0_to_1():
    assert [parse_share(text, "--rir-share") for text in ("0", "0.25", "1")] == [0, 0.25, 1]
    for text in ("-0.1", "1.1", "30", "nan", "", "half"):
        with pytest.raises(MeritError, match=f"--rir-share is a share from 0 to 1, not '{text}'"):
            parse_share(text, "--rir-share")
