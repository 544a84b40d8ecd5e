import literal_composite as literal
import numpy as np
import pytest

from merit.metrics.enhancement.composite import analyse, composite, distances
from merit.metrics.undefined import UndefinedScore


def noisy_pair(seconds=1.5, snr=5.0, seed=0):
    """A buzz with moving pitch and loudness and a pause, and the same in noise; 16-bit, within +-1."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * 16000)) / 16000
    pitch = 2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * 1.3 * time)) / 16000
    buzz = sum(np.sin(k * pitch) / k for k in range(1, 40)) * np.abs(np.sin(2 * np.pi * 2.1 * time))
    clean = 0.1 * buzz + 1e-3 * rng.standard_normal(len(time))
    noise = np.convolve(rng.standard_normal(len(time)), [1, 0.8, 0.3], "same")
    noisy = clean + noise * np.sqrt(np.mean(clean**2) / np.mean(noise**2) / 10 ** (snr / 10))
    return tuple(np.round(x * 32768).astype(np.int16).astype(np.float32) / 32768 for x in (clean, noisy))


@pytest.mark.parametrize("snr", [-5.0, 10.0])
@pytest.mark.parametrize(("variant", "divisor"), [("matlab", 1.0), ("cmgan", 32768.0)])
def test_distances_equal_the_published_formulas(snr, variant, divisor):
    clean, noisy = noisy_pair(snr=snr)
    llr, wss = distances(analyse(clean, variant), analyse(noisy, variant))
    assert llr == pytest.approx(literal.llr(clean, noisy), abs=1e-8)
    assert wss == pytest.approx(literal.wss(clean, noisy, divisor), abs=1e-8)


def test_cmgan_variant_lowers_the_spectral_slope_distance():
    clean, noisy = noisy_pair()
    matlab = distances(analyse(clean), analyse(noisy))
    cmgan = distances(analyse(clean, "cmgan"), analyse(noisy, "cmgan"))
    assert cmgan[0] == matlab[0]
    assert cmgan[1] < matlab[1]


@pytest.mark.parametrize("count", [30, 31, 70])
def test_ninety_five_percent_are_rounded_as_matlab_does(count):
    # 0.95 * 30 = 28.5 and 0.95 * 70 = 66.5 are halves, which Python's round() would take to the even number.
    clean, noisy = (signal[: 480 + 120 * count] for signal in noisy_pair())
    llr, wss = distances(analyse(clean), analyse(noisy))
    assert llr == pytest.approx(literal.llr(clean, noisy), abs=1e-8)
    assert wss == pytest.approx(literal.wss(clean, noisy), abs=1e-8)


def test_digital_silence_is_finite():
    clean, noisy = noisy_pair()
    clean, noisy = clean.copy(), noisy.copy()
    clean[:8000], noisy[:2000] = 0, 0
    llr, wss = distances(analyse(clean), analyse(noisy))
    # The prediction error of a silent frame is 2e-11 of its energy, so rounding alone moves its LLR of 25 by 0.04.
    assert llr == pytest.approx(literal.llr(clean, noisy), abs=2e-2)
    assert wss == pytest.approx(literal.wss(clean, noisy), abs=1e-8)


def test_the_same_signal_has_no_distance():
    clean, _ = noisy_pair()
    assert distances(analyse(clean), analyse(clean)) == pytest.approx((0, 0), abs=1e-12)


def test_ratings_equal_the_example_of_the_matlab_package():
    # composite.m's readme: sp09.wav against enhanced_logmmse.wav.
    ratings = composite(pesq=2.255732, llr=0.681368, wss=49.671978, segmental_snr=3.991727)
    assert (ratings.csig, ratings.cbak, ratings.covl) == pytest.approx((3.3050, 2.6160, 2.7133), abs=5e-5)


def test_ratings_stay_between_one_and_five():
    worst, best = composite(1.0, 10.0, 200.0, -10.0), composite(4.64, 0.0, 0.0, 35.0)
    assert (worst.csig, worst.covl) == (1, 1)
    assert (best.csig, best.cbak, best.covl) == (5, 5, 5)


def test_less_than_a_frame_is_undefined():
    with pytest.raises(UndefinedScore, match="599 samples"):
        analyse(np.ones(599, np.float32))
