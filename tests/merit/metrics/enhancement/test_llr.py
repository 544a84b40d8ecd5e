"""Linear prediction against scipy's Toeplitz solver, and the ratio of its errors against the matrix product."""

import numpy as np
import pytest
from scipy.linalg import solve_toeplitz, toeplitz

from merit.metrics.enhancement.frames import FFT
from merit.metrics.enhancement.llr import (
    ORDER,
    lag_weights,
    linear_prediction,
    log_likelihood_ratio,
    prediction_error,
)


@pytest.fixture
def signals():
    """Five coloured signals of a frame's length and their autocorrelation lags 0 to 16, (5, 17)."""
    noise = np.random.default_rng(0).standard_normal((5, 480))
    made = np.stack([np.convolve(row, [1, 0.9, 0.4, -0.2], "same") for row in noise])
    lags = np.stack([[row[: 480 - k] @ row[k:] for k in range(ORDER + 1)] for row in made])
    return made, lags


def test_weights_of_the_power_spectrum_give_the_lags(signals):
    made, lags = signals
    power = np.abs(np.fft.rfft(made, FFT)) ** 2
    np.testing.assert_allclose(power @ lag_weights(), lags, rtol=1e-9, atol=1e-9)


def test_prediction_solves_the_normal_equations(signals):
    _, lags = signals
    found = linear_prediction(lags)
    assert (found[:, 0] == 1).all()
    for polynomial, row in zip(found, lags):
        np.testing.assert_allclose(polynomial[1:], -solve_toeplitz(row[:-1], row[1:]), rtol=1e-8)


def test_error_and_ratio_are_the_matrix_products(signals):
    _, lags = signals
    clean, other = linear_prediction(lags), linear_prediction(lags[::-1].copy())
    expected = []
    for row, a, b in zip(lags, clean, other):
        errors = [polynomial @ toeplitz(row) @ polynomial for polynomial in (a, b)]
        np.testing.assert_allclose(prediction_error(np.stack([a, b]), np.stack([row, row])), errors, rtol=1e-10)
        expected.append(np.log(errors[1] / errors[0]))
    assert log_likelihood_ratio(lags, clean, other) == pytest.approx(np.mean(expected))  # of five frames all count
    assert log_likelihood_ratio(lags, clean, clean) == pytest.approx(0, abs=1e-12)


def test_an_error_that_rounding_made_negative_counts_as_a_thousand():
    polynomials = np.zeros((1, ORDER + 1))
    polynomials[0, 0] = 1.0
    negative = polynomials.copy()
    negative[0, 1] = 2.0
    lags = np.zeros((1, ORDER + 1))
    lags[0, :2] = 1.0, -2.0  # 1 - 8 + 4 < 0
    assert log_likelihood_ratio(lags, polynomials, negative) == pytest.approx(np.log(1000))
