import pytest

from merit.data.noise.mixed_names import (
    NoiseCondition,
    condition_name,
    drawn_name,
    online_name,
    parse_condition,
)


def test_names_are_split():
    assert parse_condition("test_babble_-5dB") == NoiseCondition("test_babble_-5dB", "test", "babble", -5.0)
    assert parse_condition("test_esc_10_2.5dB") == NoiseCondition("test_esc_10_2.5dB", "test", "esc_10", 2.5)
    assert parse_condition("test") == NoiseCondition("test", "test", "", None)


@pytest.mark.parametrize("snr, written", [(-5, "-5"), (-0.0, "0"), (2.50, "2.5"), (0.5, "0.5"), (10.0, "10")])
def test_names_are_made_as_they_are_split(snr: float, written: str):
    name = condition_name("test", "esc-10.a", snr)
    assert name == f"test_esc-10.a_{written}dB"
    assert parse_condition(name) == NoiseCondition(name, "test", "esc-10.a", snr)


def test_drawn_mixtures_have_a_subset_and_no_single_ratio():
    assert drawn_name("dev") == "dev_drawn" and online_name("train") == "train_online"
    assert parse_condition("dev_drawn") == NoiseCondition("dev_drawn", "dev", "drawn", None)
    assert parse_condition("test_drawn_5dB") == NoiseCondition("test_drawn_5dB", "test", "drawn", 5.0)  # a noise's name
