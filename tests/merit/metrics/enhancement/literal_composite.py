"""The distances behind CSIG, CBAK and COVL written as literally as the published formulas: loops over frames, bands
and lags in float64, nothing shared with ``merit.metrics``. Slow on purpose; the tests hold the package against it."""

import math

import numpy as np
from scipy.linalg import toeplitz

FRAME, HOP, FFT, ORDER, BANDS = 480, 120, 1024, 16, 25
EPS = 2.220446049250313e-16
CENTRES = (
    50.0,
    120.0,
    190.0,
    260.0,
    330.0,
    400.0,
    470.0,
    540.0,
    617.372,
    703.378,
    798.717,
    904.128,
    1020.38,
    1148.30,
    1288.72,
    1442.54,
    1610.70,
    1794.16,
    1993.93,
    2211.08,
    2446.71,
    2701.97,
    2978.04,
    3276.17,
    3597.63,
)
WIDTHS = (
    70.0,
    70.0,
    70.0,
    70.0,
    70.0,
    70.0,
    70.0,
    77.3724,
    86.0056,
    95.3398,
    105.411,
    116.256,
    127.914,
    140.423,
    153.823,
    168.154,
    183.457,
    199.776,
    217.153,
    235.631,
    255.255,
    276.072,
    298.126,
    321.465,
    346.136,
)
WINDOW = np.array([0.5 * (1 - math.cos(2 * math.pi * n / (FRAME + 1))) for n in range(1, FRAME + 1)])


def windowed_frames(signal):
    signal = np.asarray(signal, dtype=np.float64)
    count = math.floor(len(signal) / HOP - FRAME / HOP)
    return [signal[HOP * i : HOP * i + FRAME] * WINDOW for i in range(count)]


def lowest(values):
    return float(np.mean(sorted(values)[: math.floor(0.95 * len(values) + 0.5)]))


def segmental_snr(reference, estimate):
    ratios = []
    for clean, processed in zip(windowed_frames(reference), windowed_frames(estimate), strict=True):
        ratio = 10 * math.log10(np.sum(clean**2) / (np.sum((clean - processed) ** 2) + EPS) + EPS)
        ratios.append(min(max(ratio, -10.0), 35.0))
    return float(np.mean(ratios))


def prediction(frame):
    lags = np.array([np.dot(frame[: FRAME - k], frame[k:]) for k in range(ORDER + 1)])
    return lags, np.concatenate([[1.0], -np.linalg.solve(toeplitz(lags[:-1]), lags[1:])])


def llr(reference, estimate):
    values = []
    reference, estimate = np.asarray(reference, np.float64) + EPS, np.asarray(estimate, np.float64) + EPS
    for clean, processed in zip(windowed_frames(reference), windowed_frames(estimate), strict=True):
        lags, clean_polynomial = prediction(clean)
        _, processed_polynomial = prediction(processed)
        matrix = toeplitz(lags)
        upper = processed_polynomial @ matrix @ processed_polynomial
        values.append(math.log(upper / (clean_polynomial @ matrix @ clean_polynomial)))
    return lowest(values)


def band_filter(centre, width):
    bins = FFT // 2
    peak, spread = math.floor(centre / 8000 * bins), width / 8000 * bins
    gains = [math.exp(-11 * ((j - peak) / spread) ** 2 + math.log(70.0) - math.log(width)) for j in range(bins)]
    return np.array([gain if gain > math.exp(-30 / (2 * 2.303)) else 0.0 for gain in gains])


FILTERS = [band_filter(centre, width) for centre, width in zip(CENTRES, WIDTHS, strict=True)]


def slopes_and_weights(frame):
    power = np.abs(np.fft.fft(frame, FFT)) ** 2
    energy = [10 * math.log10(max(float(np.dot(band, power[: FFT // 2])), 1e-10)) for band in FILTERS]
    slope = [energy[i + 1] - energy[i] for i in range(BANDS - 1)]
    weights = []
    for i in range(BANDS - 1):
        n = i
        if slope[i] > 0:
            while n < BANDS - 1 and slope[n] > 0:
                n += 1
            peak = energy[n - 1]
        else:
            while n >= 0 and slope[n] <= 0:
                n -= 1
            peak = energy[n + 1]
        weights.append(20 / (20 + max(energy) - energy[i]) * 1 / (1 + peak - energy[i]))
    return slope, weights


def wss(reference, estimate, divisor=1.0):
    values = []
    reference = (np.asarray(reference, np.float64) + EPS) / divisor
    estimate = (np.asarray(estimate, np.float64) + EPS) / divisor
    for clean, processed in zip(windowed_frames(reference), windowed_frames(estimate), strict=True):
        clean_slope, clean_weight = slopes_and_weights(clean)
        slope, weight = slopes_and_weights(processed)
        weight = [(a + b) / 2 for a, b in zip(clean_weight, weight, strict=True)]
        top = sum(w * (a - b) ** 2 for w, a, b in zip(weight, clean_slope, slope, strict=True))
        values.append(top / sum(weight))
    return lowest(values)
