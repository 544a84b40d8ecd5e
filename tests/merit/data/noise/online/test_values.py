import random

import numpy as np
import pytest

from merit.data.noise.online.values import Values
from merit.errors import MeritError


@pytest.mark.parametrize(
    "text, numbers, is_range, written",
    [
        ("-5:15", (-5, 15), True, "-5:15"),
        (" -5  0 2.50 ", (-5, 0, 2.5), False, "-5 0 2.5"),
        ("5", (5,), False, "5"),
        ("3:3", (3, 3), True, "3:3"),
    ],
)
def test_ranges_and_lists_are_read_and_written(text, numbers, is_range, written):
    found = Values.parse(text, "--snr-train")
    assert found == Values(numbers, is_range) and found.text == written
    assert Values.parse(found.text, "again") == found


@pytest.mark.parametrize("text", ["", ":", "5:", "1:2:3", "a", "-5,5", "nan", "0:inf", "1:2 3"])
def test_what_is_neither_is_refused(text):
    with pytest.raises(MeritError, match="--snr-train: '.*' is no range in dB, as -5:15, and no list"):
        Values.parse(text, "--snr-train")


def test_a_range_downwards_and_ratios_of_silence_are_refused():
    with pytest.raises(MeritError, match="--gain: '3:-3' ends below its beginning; write -3:3"):
        Values.parse("3:-3", "--gain")
    with pytest.raises(MeritError, match="--snr: -500 dB is beyond the 90 dB"):
        Values.parse("5 -500", "--snr")


def test_every_number_of_a_range_and_every_one_of_a_list_is_as_likely():
    generator = random.Random(0)
    drawn = np.array([Values((-5.0, 15.0), True).draw(generator) for _ in range(4000)])
    assert np.histogram(drawn, bins=4, range=(-5, 15))[0] == pytest.approx([1000] * 4, rel=0.1)
    listed = [Values((-5.0, 0.0, 5.0), False).draw(generator) for _ in range(3000)]
    assert {number: listed.count(number) for number in (-5, 0, 5)} == pytest.approx(
        dict.fromkeys((-5, 0, 5), 1000), 0.1
    )


def test_a_draw_takes_one_number_whatever_is_drawn():
    after = []
    for values in (Values((1.0,), False), Values((1.0, 2.0, 3.0), False), Values((0.0, 9.0), True)):
        generator = random.Random(0)
        values.draw(generator)
        after.append(generator.random())
    assert len(set(after)) == 1
