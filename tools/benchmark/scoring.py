"""Six measures of enhanced speech: one pass against the packages called one after the other; two processes against one.

The plain contender calls pesq and pystoi, computes segmental SNR twice, and the composite measures with loops over
frames and PESQ inside them once more, as the published Python ports do. Both contenders score the same signals, and the
benchmark stops when a score differs by more than 1e-4. Speech is imitated: voiced and unvoiced syllables, and pauses.
"""

import itertools
import math
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import measure
import numpy as np
import pystoi
import torch
from pesq import pesq
from scipy.linalg import solve_toeplitz, toeplitz
from threadpoolctl import threadpool_limits

from merit.data.audio import write_audio
from merit.metrics.enhancement.composite import analyse, composite, distances
from merit.metrics.enhancement.measures import MEASURES, enhancement_scores
from merit.metrics.enhancement.score_sheet import Pair, ScoreSheet
from merit.metrics.enhancement.scoring import score_sheets
from merit.metrics.enhancement.segmental_snr import segmental_snr
from merit.metrics.enhancement.stoi import stoi
from merit.metrics.enhancement.wss import BANDWIDTHS, CENTRES
from merit.time_grid import SAMPLE_RATE

SECONDS = 5.0
SNRS = (-5, 0, 5, 10)
ROUNDS = 5
FILES = {"few": 4, "many": 34}
"""Utterances that the processes score; the difference leaves their start out."""
FRAME, HOP, FFT, ORDER = 480, 120, 1024, 16
EPS = np.finfo(np.float64).eps
WINDOW = np.hanning(FRAME + 2)[1:-1]

Utterance = tuple[np.ndarray, list[np.ndarray]]
"""Clean speech (S,) and its noisy versions."""


def main() -> None:
    """Print the rows."""
    device = measure.chosen_device(__doc__)
    utterances = [made_utterance(seed) for seed in range(ROUNDS + 1)]
    with threadpool_limits(1):
        compare(utterances[0])
        # Another utterance in every round, so that nothing of a clean signal is there from the round before.
        turns = {name: itertools.cycle(utterances) for name in ("plain", "ours")}
        taken = measure.seconds(
            {
                "plain": lambda: [plain_scores(clean, noisy) for clean, noisy in pairs(next(turns["plain"]))],
                "ours": lambda: [enhancement_scores(clean, noisy) for clean, noisy in pairs(next(turns["ours"]))],
                **part_calls(utterances[0]),
            },
            device,
            ROUNDS,
        )
        efficiency = parallel_efficiency(utterances, device)
    each = {name: 1000 * time / len(SNRS) for name, time in taken.items()}
    measure.report("six measures, one pass against plain calls", each["plain"] / each["ours"], "x", at_least=1.7)
    fastest = (2 * each["pesq"] + each["pystoi"]) / each["ours"]
    measure.report("the same, if the plain LLR, WSS and segmental SNR took no time", fastest, "x")
    measure.report("2 processes, parallel efficiency after their start", efficiency, "x", at_least=0.9)
    for name, time in each.items():
        measure.report(f"{SECONDS:g} s of speech: {name}", time, "ms")


def pairs(utterance: Utterance) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The clean signal with each noisy one."""
    clean, noisy = utterance
    return ((clean, signal) for signal in noisy)


def part_calls(utterance: Utterance) -> dict[str, Callable[[], object]]:
    """Calls that take one part of the measures over all conditions of an utterance."""

    def over(score: Callable[[np.ndarray, np.ndarray], object]) -> Callable[[], object]:
        return lambda: [score(clean, noisy) for clean, noisy in pairs(utterance)]

    known = analyse(utterance[0])
    return {
        "pesq": over(lambda clean, noisy: pesq(SAMPLE_RATE, clean, noisy, "wb")),
        "pystoi": over(lambda clean, noisy: pystoi.stoi(clean, noisy, SAMPLE_RATE)),
        "STOI, clean side kept": over(stoi),
        "plain LLR": over(plain_llr),
        "plain WSS": over(plain_wss),
        "LLR and WSS, clean side kept": over(lambda clean, noisy: distances(known, analyse(noisy))),
        "plain segmental SNR": over(plain_segmental_snr),
        "segmental SNR": over(segmental_snr),
    }


def made_utterance(seed: int) -> Utterance:
    """Imitated speech of 16 bits and the same in noise at all SNRs."""
    generator = np.random.default_rng(seed)
    samples = round(SECONDS * SAMPLE_RATE)
    time = np.arange(samples) / SAMPLE_RATE
    pitch = np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time + seed)) / SAMPLE_RATE
    voiced = sum(np.sin(2 * np.pi * k * pitch) / k for k in range(1, 40))
    unvoiced = np.diff(generator.standard_normal(samples + 1))
    syllables = np.maximum(0, np.sin(2 * np.pi * 3.1 * time)) ** 0.5  # a pause after each
    turn = np.sin(2 * np.pi * 3.1 / 4 * time + seed) > -0.8
    clean = 0.1 * syllables * np.where(turn, voiced, unvoiced) + 1e-4 * generator.standard_normal(samples)
    noise = np.convolve(generator.standard_normal(samples), [1, 0.8, 0.3], "same")
    noise *= np.sqrt(np.mean(clean**2) / np.mean(noise**2))
    signals = [clean, *(clean + noise * 10 ** (-snr / 20) for snr in SNRS)]
    full_scale = max(np.abs(signal).max() for signal in signals) / 0.9
    clean, *noisy = (np.float32(np.round(signal / full_scale * 32767) / 32768) for signal in signals)
    return clean, noisy


def compare(utterance: Utterance) -> None:
    """Stop unless both contenders give the same scores."""
    for clean, noisy in pairs(utterance):
        plain, ours = plain_scores(clean, noisy), enhancement_scores(clean, noisy).values
        for name in MEASURES:
            if not abs(plain[name] - ours[name]) <= 1e-4:
                sys.exit(f"{name}: {ours[name]} in one pass and {plain[name]} plainly; they must be equal to 1e-4")


def parallel_efficiency(utterances: list[Utterance], device: torch.device) -> float:
    """Speed-up of two processes over one, divided by two, without the start of the processes."""
    with tempfile.TemporaryDirectory() as folder:
        conditions = [written_pairs(utterances, Path(folder), place) for place in range(len(SNRS))]

        def run(files: str, processes: int) -> None:
            with tempfile.TemporaryDirectory() as output:
                sheets = [
                    ScoreSheet(Path(output) / f"{place}.csv", dict(list(pairs.items())[: FILES[files]]))
                    for place, pairs in enumerate(conditions)
                ]
                score_sheets(sheets, processes)

        cases = [(files, processes) for files in FILES for processes in (1, 2)]
        taken = measure.seconds({case: partial(run, *case) for case in cases}, device, rounds=3, warm_up=0)
    one, two = (taken["many", processes] - taken["few", processes] for processes in (1, 2))
    return one / two / 2


def written_pairs(utterances: list[Utterance], folder: Path, condition: int) -> dict[str, Pair]:
    """Write one condition of as many files as are scored at most; the utterances take turns."""
    found = {}
    for number in range(max(FILES.values())):
        clean, noisy = utterances[number % len(utterances)]
        pair = Pair(str(folder / f"{number}_clean.flac"), str(folder / f"{number}_{condition}.flac"))
        write_audio(Path(pair.reference), clean)
        write_audio(Path(pair.estimate), noisy[condition])
        found[f"utt{number:03}"] = pair
    return found


def plain_scores(clean: np.ndarray, noisy: np.ndarray) -> dict[str, float]:
    """The six measures, each computed for itself."""
    csig, cbak, covl = plain_composite(clean, noisy)
    return {
        "PESQ": pesq(SAMPLE_RATE, clean, noisy, "wb"),
        "CSIG": csig,
        "CBAK": cbak,
        "COVL": covl,
        "SSNR": plain_segmental_snr(clean, noisy),
        "STOI": pystoi.stoi(clean, noisy, SAMPLE_RATE),
    }


def plain_composite(clean: np.ndarray, noisy: np.ndarray) -> tuple[float, float, float]:
    """CSIG, CBAK and COVL from all that they need."""
    mos = pesq(SAMPLE_RATE, clean, noisy, "wb")
    ratings = composite(mos, plain_llr(clean, noisy), plain_wss(clean, noisy), plain_segmental_snr(clean, noisy))
    return ratings.csig, ratings.cbak, ratings.covl


def plain_frames(signal: np.ndarray) -> Iterator[np.ndarray]:
    """Windowed frames of 30 ms, a quarter of a frame apart."""
    for number in range(len(signal) // HOP - FRAME // HOP):
        yield signal[HOP * number : HOP * number + FRAME] * WINDOW


def lowest(values: list[float]) -> float:
    """Mean of the lowest 95 %."""
    return float(np.mean(sorted(values)[: math.floor(0.95 * len(values) + 0.5)]))


def plain_segmental_snr(clean: np.ndarray, noisy: np.ndarray) -> float:
    """Segmental SNR in dB, frame by frame."""
    values = []
    for speech, mixed in zip(plain_frames(np.float64(clean)), plain_frames(np.float64(noisy))):
        ratio = 10 * math.log10(np.sum(speech**2) / (np.sum((speech - mixed) ** 2) + EPS) + EPS)
        values.append(min(max(ratio, -10), 35))
    return float(np.mean(values))


def plain_llr(clean: np.ndarray, noisy: np.ndarray) -> float:
    """Log-likelihood ratio, frame by frame."""
    values = []
    for pair in zip(plain_frames(clean + EPS), plain_frames(noisy + EPS)):
        lags, polynomials = [], []
        for frame in pair:
            lags.append(np.array([np.dot(frame[: FRAME - lag], frame[lag:]) for lag in range(ORDER + 1)]))
            polynomials.append(np.append(1, -solve_toeplitz(lags[-1][:-1], lags[-1][1:])))
        matrix = toeplitz(lags[0])
        clean_error, noisy_error = (polynomial @ matrix @ polynomial for polynomial in polynomials)
        values.append(math.log(noisy_error / clean_error))
    return lowest(values)


def plain_wss(clean: np.ndarray, noisy: np.ndarray) -> float:
    """Weighted spectral slope distance, frame by frame."""
    bins = np.arange(FFT // 2)
    filters = []
    for centre, width in zip(CENTRES, BANDWIDTHS):
        place, spread = math.floor(centre / 8000 * len(bins)), width / 8000 * len(bins)
        gains = np.exp(-11 * ((bins - place) / spread) ** 2) * BANDWIDTHS[0] / width
        filters.append(np.where(gains > math.exp(-30 / (2 * 2.303)), gains, 0))
    filters = np.stack(filters)
    values = []
    for pair in zip(plain_frames(clean + EPS), plain_frames(noisy + EPS)):
        slopes, weights = [], []
        for frame in pair:
            power = np.abs(np.fft.rfft(frame, FFT)[:-1]) ** 2
            energy = 10 * np.log10(np.maximum(filters @ power, 1e-10))
            slope = np.diff(energy)
            peaks = np.array([plain_peak(band, slope, energy) for band in range(len(slope))])
            slopes.append(slope)
            weights.append(20 / (20 + energy.max() - energy[:-1]) / (1 + peaks - energy[:-1]))
        weight = np.mean(weights, axis=0)
        values.append(np.sum(weight * (slopes[0] - slopes[1]) ** 2) / np.sum(weight))
    return lowest(values)


def plain_peak(band: int, slope: np.ndarray, energy: np.ndarray) -> float:
    """Energy of the peak uphill of a band; to the right the search ends one band short of it, as in wss.m."""
    if slope[band] > 0:
        while band < len(slope) and slope[band] > 0:
            band += 1
        return energy[band - 1]
    while band >= 0 and slope[band] <= 0:
        band -= 1
    return energy[band + 1]


if __name__ == "__main__":
    main()
