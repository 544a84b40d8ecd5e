"""Critical bands, slopes and weights against the loops of the published formulas."""

import literal_composite as literal
import numpy as np
import pytest

from merit.metrics.enhancement.frames import FFT
from merit.metrics.enhancement.wss import SpectralSlopes, band_weights, spectral_slopes, weighted_spectral_slope


@pytest.fixture
def spectra():
    """Power spectra (7, 513) of coloured frames."""
    noise = np.random.default_rng(3).standard_normal((7, 480))
    # So quiet that some bands fall below the floor when the signal is divided.
    made = 2e-3 * np.stack([np.convolve(row, [1, 0.8, 0.3], "same") for row in noise]) * literal.WINDOW
    return made, np.abs(np.fft.rfft(made, FFT)) ** 2


def test_bands_are_the_published_filters():
    weights = band_weights()
    assert weights.shape == (FFT // 2 + 1, literal.BANDS) and (weights[-1] == 0).all()
    np.testing.assert_allclose(weights[:-1].T, literal.FILTERS, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("divisor", [1.0, 32768.0])
def test_slopes_and_weights_are_those_of_the_loops(spectra, divisor):
    made, power = spectra
    found = spectral_slopes(power @ band_weights(), divisor)
    for place, frame in enumerate(made):
        slopes, weights = literal.slopes_and_weights(frame / divisor)
        np.testing.assert_allclose(found.slopes[:, place], slopes, atol=1e-8)
        np.testing.assert_allclose(found.weights[:, place], weights, rtol=1e-8)


def test_the_distance_weighs_squared_differences_of_slopes():
    generator = np.random.default_rng(4)
    one, two = (SpectralSlopes(generator.standard_normal((24, 5)), generator.random((24, 5))) for _ in range(2))
    expected = []
    for frame in range(5):
        weights = (one.weights[:, frame] + two.weights[:, frame]) / 2
        squares = (one.slopes[:, frame] - two.slopes[:, frame]) ** 2
        expected.append(np.average(squares, weights=weights))
    assert weighted_spectral_slope(one, two) == pytest.approx(np.mean(expected))
