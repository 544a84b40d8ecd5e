import numpy as np
import pytest

from merit.data.bandwidth import _through_mu_law, detect_bandwidth, energy_above_edge, narrow_band
from merit.errors import MeritError

TIME = np.arange(16000) / 16000


def tone(frequency: float, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * frequency * TIME)).astype(np.float32)


@pytest.mark.parametrize("codec", ["resample", "mu_law"])
@pytest.mark.parametrize("length", [15999, 16000, 401])
def test_length_type_and_time_stay(codec, length):
    narrow = narrow_band(tone(1000)[:length], codec)
    assert narrow.shape == (length,) and narrow.dtype == np.float32
    # Away from the ends the tone is where it was, and has its height; mu-law is right to 4 % of each sample.
    np.testing.assert_allclose(
        narrow[150:-150], tone(1000)[:length][150:-150], atol=0.02 if codec == "mu_law" else 1e-4
    )


def test_what_lies_above_4_khz_is_gone_and_not_folded_down():
    for frequency in (4200, 5000, 7500):
        assert np.abs(narrow_band(tone(frequency))[500:-500]).max() < 1e-4


def test_mu_law_is_that_of_the_standard():
    # The values that G.711 decodes to, from its formula: segment e, step m, in the 16 bits that tables give them in.
    levels = {sign * ((((2 * m + 33) << e) - 33) * 4) for e in range(8) for m in range(16) for sign in (1, -1)}
    assert max(levels) == 32124 and len(levels) == 255
    decoded = np.rint(_through_mu_law(np.linspace(-1.2, 1.2, 40001, dtype=np.float32)) * 32768)
    assert {*decoded.astype(int)} == levels
    quiet = _through_mu_law(np.full(8, 0.01, dtype=np.float32))  # finer than 8 equal bits, of 1/128 each
    assert np.abs(quiet - 0.01).max() < 0.0005


def test_mu_law_is_heard_at_the_ratio_that_it_is_known_for():
    speech = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 0.05
    clean, coded = narrow_band(speech), narrow_band(speech, "mu_law")
    ratio = 10 * np.log10((clean**2).sum() / ((clean - coded) ** 2).sum())
    assert 34 < ratio < 40  # about 38 dB over forty decibels of level


def test_other_codecs_are_refused():
    with pytest.raises(MeritError, match="codec 'gsm': expected resample or mu_law"):
        narrow_band(tone(1000), "gsm")


def test_energy_above_the_edge_by_hand():
    both = tone(1000) + tone(6000, 0.05)  # a hundredth of the energy
    assert energy_above_edge(both) == pytest.approx(10 * np.log10(0.01 / 1.01), abs=0.05)
    assert energy_above_edge(np.zeros(16000)) == -np.inf


@pytest.mark.parametrize(("level", "bandwidth"), [(-50, "wide"), (-62, "narrow")])
def test_the_threshold_lies_between_what_was_measured(level, bandwidth):
    assert detect_bandwidth(tone(1000) + tone(6000, 0.5 * 10 ** (level / 20))) == bandwidth


def test_noise_is_wide_and_narrow_once_it_was():
    noise = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 0.1
    assert detect_bandwidth(noise) == "wide"
    assert {detect_bandwidth(narrow_band(noise, codec)) for codec in ("resample", "mu_law")} == {"narrow"}
    assert detect_bandwidth(np.rint(narrow_band(noise) * 32768) / 32768) == "narrow"  # stored in 16 bits
    assert detect_bandwidth(np.zeros(400)) == "narrow" and detect_bandwidth(noise[:100]) == "wide"
