import literal_composite as literal
import numpy as np
import pystoi
import pytest
from pesq import pesq
from test_composite import noisy_pair

from merit.errors import MeritError
from merit.metrics.enhancement.measures import MEASURES, enhancement_scores


@pytest.mark.parametrize(("variant", "divisor"), [("matlab", 1.0), ("cmgan", 32768.0)])
def test_one_pass_equals_the_measures_one_by_one(variant, divisor):
    clean, noisy = noisy_pair()
    mos, ssnr = pesq(16000, clean, noisy, "wb"), literal.segmental_snr(clean, noisy)
    llr, wss = literal.llr(clean, noisy), literal.wss(clean, noisy, divisor)
    expected = {
        "PESQ": mos,
        "CSIG": np.clip(3.093 - 1.029 * llr + 0.603 * mos - 0.009 * wss, 1, 5),
        "CBAK": np.clip(1.634 + 0.478 * mos - 0.007 * wss + 0.063 * ssnr, 1, 5),
        "COVL": np.clip(1.594 + 0.805 * mos - 0.512 * llr - 0.007 * wss, 1, 5),
        "SSNR": ssnr,
        "STOI": pystoi.stoi(clean, noisy, 16000),
    }
    scores = enhancement_scores(clean, noisy, variant)
    assert scores.failures == {}
    assert scores.values == pytest.approx(expected, abs=1e-6)


def test_a_kept_reference_changes_nothing():
    clean, noisy = noisy_pair()
    other = noisy_pair(seed=1)
    first = enhancement_scores(clean, noisy).values
    enhancement_scores(*other)
    assert enhancement_scores(clean, noisy).values == first
    assert enhancement_scores(clean, noisy, "cmgan").values != first


def test_a_silent_estimate_keeps_what_is_defined():
    clean, _ = noisy_pair()
    scores = enhancement_scores(clean, np.zeros_like(clean))
    assert [name for name in MEASURES if np.isfinite(scores.values[name])] == ["SSNR"]
    assert set(scores.failures) == set(MEASURES) - {"SSNR"}
    assert "silence" in scores.failures["PESQ"] and "needs PESQ" in scores.failures["CSIG"]


@pytest.mark.parametrize("broken", [np.zeros(16000, np.float32), np.full(16000, np.nan, np.float32)])
def test_a_reference_without_signal_leaves_nothing(broken):
    scores = enhancement_scores(broken, np.ones(16000, np.float32))
    assert np.isnan(list(scores.values.values())).all()
    assert set(scores.failures) == set(MEASURES)


def test_too_short_is_not_zero():
    scores = enhancement_scores(*(signal[:500] for signal in noisy_pair()))
    assert np.isnan(list(scores.values.values())).all()


def test_lengths_may_differ_by_one_percent():
    clean, noisy = noisy_pair()
    cut = enhancement_scores(clean[:-100], noisy[:-100])
    assert enhancement_scores(clean, noisy[:-100]) == cut
    assert enhancement_scores(clean[:-100], noisy) == cut
    with pytest.raises(MeritError, match="23500.*more than 1 %"):
        enhancement_scores(clean, noisy[:23500])
