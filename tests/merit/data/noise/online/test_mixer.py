"""What a mixture is made of, and that it follows from seed, epoch and utterance alone."""

from dataclasses import replace

import numpy as np
import pytest
from made_audio import write
from made_mixing import make_mixing
from scipy.signal import butter, sosfilt

from merit.data.noise.mixing import power
from merit.data.noise.online.mixer import OnlineMixing, draw_mixture, through_telephone
from merit.data.noise.online.noises import Recordings
from merit.data.noise.online.values import Values
from merit.data.noise.reverberation import reverberate
from merit.errors import MeritError

SPEECH = 0.05 * np.random.default_rng(1).standard_normal(12000).astype(np.float32)


def draws(mixing: OnlineMixing, count: int = 60, epoch: int = 0):
    return [draw_mixture(mixing, f"u{number}", "a", SPEECH, epoch) for number in range(count)]


def decibels(numerator, denominator):
    return 10 * np.log10(power(numerator) / power(denominator))


@pytest.fixture
def mixing(tmp_path):
    return make_mixing(tmp_path)


def test_a_mixture_is_what_was_drawn_for_it(mixing):
    seen = set()
    for number, drawn in enumerate(draws(mixing)):
        found, louder = drawn.mixture, 10 ** (drawn.gain / 20)
        clean = SPEECH.astype(np.float64)
        if drawn.telephone:
            clean = sosfilt(butter(4, (300, 3400), "bandpass", fs=16000, output="sos"), clean)
        heard = found.noisy - found.noise
        assert decibels(heard, found.noise) == pytest.approx(drawn.snr, abs=1e-6)
        np.testing.assert_allclose(found.clean, clean * louder * found.gain, atol=1e-6)
        assert -5 <= drawn.snr <= 15 and -3 <= drawn.gain <= 3 and found.in_room == (drawn.room is not None)
        if drawn.room is None:
            np.testing.assert_allclose(heard, found.clean, atol=1e-6)
        elif not drawn.telephone:
            expected = reverberate(SPEECH, drawn.room, "any") * louder * found.gain
            np.testing.assert_allclose(heard, expected, atol=1e-6)
        assert np.abs(found.noisy).max() <= 1
        seen.add((drawn.noise.endswith(".wav"), drawn.room is not None, drawn.telephone))
        assert drawn.noise.endswith(".wav") or "a" not in drawn.noise.split("+"), number
    assert len(seen) == 8  # recordings and talkers, with and without a room and a telephone


def test_shares_and_weights_are_kept(mixing):
    drawn = draws(replace(mixing, snr=Values((0.0, 10.0), False)), count=400)
    assert sum(one.room is not None for one in drawn) == pytest.approx(200, abs=40)
    assert sum(one.telephone for one in drawn) == pytest.approx(120, abs=36)
    assert sum(one.noise.endswith(".wav") for one in drawn) == pytest.approx(400 * 2 / 3, abs=40)
    assert sum(one.snr == 10 for one in drawn) == pytest.approx(200, abs=40)


def test_the_same_epoch_is_the_same_mixture_and_another_one_another(mixing):
    first, again, other = draws(mixing), draws(mixing), draws(mixing, epoch=1)
    for a, b, c in zip(first, again, other):
        np.testing.assert_array_equal(a.mixture.noisy, b.mixture.noisy)
        assert not np.array_equal(a.mixture.noisy, c.mixture.noisy)
    assert len({one.snr for one in first}) == len(first)
    assert [one.snr for one in draws(replace(mixing, seed=4))] != [one.snr for one in first]


def test_what_is_switched_on_changes_nothing_else(mixing):
    plain = draws(replace(mixing, room_share=0.0, telephone_share=0.0))
    for one, other in zip(plain, draws(mixing)):
        assert (one.noise, one.offset, one.snr, one.gain) == (other.noise, other.offset, other.snr, other.gain)


def test_silent_pieces_are_drawn_again_and_silent_noise_is_named(tmp_path):
    recording = np.concatenate([np.zeros(400000), 0.1 * np.random.default_rng(0).standard_normal(60000)])
    noise = Recordings("gaps", 1.0, [write(tmp_path / "gaps.wav", recording)])
    mixing = OnlineMixing([noise], Values((0.0,), False))
    drawn = draws(mixing)
    assert all(power(one.mixture.noise) > 1e-10 for one in drawn) and max(one.skipped for one in drawn) > 10
    silent = Recordings("hush", 1.0, [write(tmp_path / "hush.wav", np.zeros(40000))])
    with pytest.raises(MeritError, match="u0: 100 pieces of hush were silent; remove its silent recordings"):
        draws(replace(mixing, noises=[silent]))


def test_silent_speech_is_named(mixing):
    with pytest.raises(MeritError, match="u: silent, so that its SNR is undefined"):
        draw_mixture(mixing, "u", "a", np.zeros(9000, dtype=np.float32), 0)
    low = (0.001 * np.sin(2 * np.pi * 3 * np.arange(16000) / 16000)).astype(np.float32)
    with pytest.raises(MeritError, match="u: silent in the band of a telephone"):
        draw_mixture(replace(mixing, telephone_share=1.0), "u", "a", low, 0)


def test_what_would_clip_is_scaled_all_alike(mixing):
    loud = (0.9 * np.sign(SPEECH)).astype(np.float32)
    drawn = draw_mixture(replace(mixing, gain=Values((3.0,), False), room_share=0.0), "u2", "a", loud, 0)
    assert drawn.mixture.gain < 1 and np.abs(drawn.mixture.noisy).max() <= 1
    assert decibels(drawn.mixture.clean, drawn.mixture.noise) == pytest.approx(drawn.snr, abs=1e-6)


def test_a_telephone_passes_its_band():
    time = np.arange(32000) / 16000
    passed = {
        frequency: decibels(through_telephone(np.sin(2 * np.pi * frequency * time))[8000:], np.sin(2 * np.pi * time))
        for frequency in (60, 150, 300, 1000, 3400, 6000)
    }
    assert passed[1000] == pytest.approx(0, abs=0.1)
    assert passed[300] == pytest.approx(-3, abs=0.2) and passed[3400] == pytest.approx(-3, abs=0.2)
    assert passed[150] < -20 and passed[60] < -40 and passed[6000] < -20
