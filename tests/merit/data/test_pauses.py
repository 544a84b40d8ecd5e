import numpy as np
import pytest

from merit.data.pauses import cut_at_pauses
from merit.errors import MeritError

RATE = 16000


def talk(seconds: float, pauses: list[tuple[float, float]], seed: int = 0) -> np.ndarray:
    """Noise with pauses, a thousandth as loud, from a time to another."""
    samples = np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32) * 0.1
    for start, end in pauses:
        samples[round(start * RATE) : round(end * RATE)] *= 0.001
    return samples


def cuts(pieces: list[np.ndarray]) -> list[float]:
    return [float(end) / RATE for end in np.cumsum([len(piece) for piece in pieces])[:-1]]


def test_cuts_lie_in_the_middle_of_pauses():
    samples = talk(25, [(3, 3.4), (8, 8.4), (15.9, 16.2)])
    pieces = cut_at_pauses(samples, 10)
    first, second = cuts(pieces)
    # The pause at 3 s is too early for a piece of 10 s; from 8.2 s on, one at 16 s is in the second half.
    assert 8.1 <= first <= 8.3 and 16.0 <= second <= 16.1


def test_the_quieter_pause_is_taken_however_loud_the_rest_is():
    samples = talk(12, [(6, 6.4), (8, 8.4)]) * 1000
    samples[round(6 * RATE) : round(6.4 * RATE)] = 0
    (cut,) = cuts(cut_at_pauses(samples, 10))
    assert 6.1 <= cut <= 6.3


def test_a_gap_within_a_word_is_no_pause():
    samples = talk(12, [(9, 9.06), (6, 6.3)])  # the closure of a stop, 60 ms
    (cut,) = cuts(cut_at_pauses(samples, 10))
    assert 6.1 <= cut <= 6.2


@pytest.mark.parametrize("samples", [0, 1, 159, 16000, 16001, 31999, 32001, 100007])
def test_no_sample_is_lost_and_no_piece_is_too_long(samples):
    waveform = np.random.default_rng(samples).standard_normal(samples).astype(np.float32)
    pieces = cut_at_pauses(waveform, 1)
    assert np.array_equal(np.concatenate(pieces), waveform)
    assert all(len(piece) <= RATE for piece in pieces)
    assert all(len(piece) >= RATE / 2 for piece in pieces[:-1])
    assert samples > RATE or len(pieces) == 1


def test_silence_is_cut_into_pieces_as_long_as_may_be():
    assert cuts(cut_at_pauses(np.zeros(3 * RATE), 2)) == [1.9]  # the middle of the last 200 ms


def test_too_short_pieces_are_refused():
    with pytest.raises(MeritError, match="at least 1 second"):
        cut_at_pauses(np.zeros(10), 0.5)
