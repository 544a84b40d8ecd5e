from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from torchaudio.functional import add_noise

from merit.data.noise.mixing import Job, draw_noise, mix, noise_piece, read_sources, write_mixture
from merit.errors import MeritError


def signals(length=8000, level=0.02, seed=0):
    generator = np.random.default_rng(seed)
    return (level * generator.standard_normal((2, length))).astype(np.float32)


@pytest.mark.parametrize("snr", [-5.0, 0.0, 2.5, 20.0])
def test_mixture_agrees_with_torchaudio(snr):
    speech, noise = signals()
    mixture = mix(speech, noise, snr)
    speech_tensor, noise_tensor = torch.from_numpy(np.stack([speech, noise]).astype(np.float64)).unsqueeze(1)
    expected = add_noise(speech_tensor, noise_tensor, torch.tensor([snr]))
    np.testing.assert_allclose(mixture.noisy, expected[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(mixture.clean, speech)
    np.testing.assert_array_equal(mixture.noisy, mixture.clean + mixture.noise)
    assert mixture.gain == 1.0


def test_one_gain_for_all_when_something_would_clip():
    speech, noise = signals(level=0.3)
    mixture = mix(speech, noise, -5.0)
    peaks = [np.abs(signal).max() for signal in (mixture.noisy, mixture.clean, mixture.noise)]
    assert max(peaks) == pytest.approx(32767 / 32768)
    np.testing.assert_allclose(mixture.clean, mixture.gain * speech.astype(np.float64), rtol=1e-12)
    np.testing.assert_allclose(mixture.noisy, mixture.clean + mixture.noise, atol=1e-15)
    snr = 10 * np.log10(np.sum(mixture.clean**2) / np.sum(mixture.noise**2))
    assert mixture.gain < 1 and snr == pytest.approx(-5.0, abs=1e-9)


def test_the_gain_looks_at_the_noise_alone_too():
    speech = np.full(1000, 0.5, dtype=np.float32)
    noise = np.where(np.arange(1000) % 2 == 0, -1.0, 0.1).astype(np.float32)  # cancels where it is loud
    mixture = mix(speech, noise, 20 * np.log10(0.5 / (1.2 * np.sqrt(np.mean(noise.astype(float) ** 2)))))
    assert np.abs(mixture.noise).max() <= 1 and np.abs(mixture.noisy).max() < 0.9 and mixture.gain < 1


def test_long_noise_is_cut_without_a_seam():
    noise = np.arange(100)
    for place in (0.0, 0.3, 0.999999):
        piece, offset = noise_piece(noise, place, 30)
        np.testing.assert_array_equal(piece, np.arange(offset, offset + 30))
        assert offset == int(place * 71)


def test_short_noise_is_repeated_from_the_offset():
    piece, offset = noise_piece(np.arange(7), 0.5, 20)
    np.testing.assert_array_equal(piece, np.roll(np.tile(np.arange(7), 4), -offset)[:20])
    assert offset == 3


def test_draws_follow_from_names_and_seed_alone():
    files = [f"{number}.wav" for number in range(50)]
    drawn = draw_noise("utt", "babble", files, seed=0)
    assert drawn == draw_noise("utt", "babble", files, seed=0)
    for other in (("utu", "babble", 0), ("utt", "rain", 0), ("utt", "babble", 1)):
        assert draw_noise(other[0], other[1], files, other[2])[0] != drawn[0]
    first = [draw_noise(f"utt{number}", "babble", files, 0)[0] for number in range(1000)]
    assert {file for file, _ in first} == set(files)
    places = np.array([place for _, place in first])
    assert 0 <= places.min() and places.max() < 1 and abs(places.mean() - 0.5) < 0.05


def test_forbidden_noise_is_never_drawn_and_moves_no_other():
    files = [f"{number}.wav" for number in range(3)]
    for number in range(50):
        drawn = draw_noise(f"utt{number}", "babble", files, 0)
        kept = [(file, place) for file, place in drawn if file != "1.wav"]
        assert draw_noise(f"utt{number}", "babble", files, 0, ["1.wav"]) == kept and 0 < len(kept)
        # With one allowed file among many, all of the first draws may be forbidden.
        many = [*files, *(f"own{number}.wav" for number in range(300))]
        left = draw_noise(f"utt{number}", "babble", many, 0, many[1:])
        assert left and {file for file, _ in left} == {"0.wav"}
    assert draw_noise("utt", "babble", files, 0, files) == []


@pytest.mark.parametrize("snr", [-5.0, 10.0])
def test_in_a_room_the_snr_is_of_reverberant_speech(tmp_path, snr):
    speech, noise = signals(level=0.1)
    reverberant = 1.5 * np.convolve(speech, [1, 0, 0, 0.5])[: len(speech)]
    mixture = mix(speech, noise, snr, reverberant)
    np.testing.assert_allclose(mixture.noisy, reverberant * mixture.gain + mixture.noise, atol=1e-12)
    np.testing.assert_allclose(mixture.clean, speech.astype(np.float64) * mixture.gain, atol=1e-12)  # the dry one
    power = np.mean((reverberant * mixture.gain) ** 2) / np.mean(mixture.noise**2)
    assert 10 * np.log10(power) == pytest.approx(snr, abs=1e-9)
    assert write_mixture(mixture, tmp_path, "utt") == pytest.approx(snr, abs=0.01)


@pytest.fixture
def job(tmp_path):
    def make(speech, *noises):
        soundfile.write(tmp_path / "speech.wav", speech, 16000, subtype="FLOAT")
        for number, noise in enumerate(noises):
            soundfile.write(tmp_path / f"{number}.wav", noise, 16000, subtype="FLOAT")
        draws = [(str(tmp_path / f"{number}.wav"), 0.5) for number in range(len(noises))]
        return Job("utt", str(tmp_path / "speech.wav"), draws, {})

    return make


def test_silent_noise_is_skipped(job):
    speech, noise = signals(1000)
    half_silent = np.concatenate([noise, np.zeros(3000, dtype=np.float32)])  # the piece drawn starts at sample 1500
    sources = read_sources(job(speech, half_silent, noise))
    assert sources.skipped == 1 and sources.file.endswith("1.wav")
    np.testing.assert_array_equal(sources.noise, noise)


def test_the_room_of_a_job_is_heard(job, tmp_path):
    speech, noise = signals(1000)
    dry = job(speech, noise)
    response = np.zeros(300)
    response[[20, 100]] = [0.5, 0.25]  # the reflection lies 5 ms after the direct path
    soundfile.write(tmp_path / "rir.wav", response, 16000, subtype="FLOAT")
    sources = read_sources(replace(dry, room=str(tmp_path / "rir.wav")))
    expected = speech + 0.5 * np.concatenate([np.zeros(80), speech[:-80]])
    np.testing.assert_allclose(sources.reverberant, expected, atol=1e-7)
    np.testing.assert_array_equal(sources.speech, speech)
    assert read_sources(dry).reverberant is None


def test_noise_that_is_always_silent_is_refused(job):
    speech, _ = signals(1000)
    with pytest.raises(MeritError, match="utt: 2 pieces of noise were silent"):
        read_sources(job(speech, np.zeros(1000), np.zeros(2000)))


@pytest.mark.parametrize(
    "speech, expected",
    [
        (np.zeros(1000), "silent, so that its SNR is undefined"),
        (np.full(399, 0.1), "399 samples at 16 kHz, and one encoder frame needs 400"),
        (np.array([0.1, np.nan] * 500), "NaN"),
    ],
)
def test_speech_that_cannot_be_mixed_is_named(job, speech, expected):
    with pytest.raises(MeritError, match=f"utt: .*{expected}"):
        read_sources(job(speech, signals(1000)[1]))


def test_unreadable_noise_is_named(job, tmp_path):
    unusable = job(signals(1000)[0], signals(1000)[1])
    (tmp_path / "0.wav").write_bytes(b"no audio")
    with pytest.raises(MeritError, match="noise: .*0.wav: cannot be decoded"):
        read_sources(unusable)


@pytest.mark.parametrize("snr", [-5.0, 10.0])
def test_the_measured_snr_is_that_of_the_written_files(tmp_path, snr):
    measured = write_mixture(mix(*signals(level=0.1), snr), tmp_path, "utt")
    noisy, clean, noise = (soundfile.read(tmp_path / name / "utt.flac")[0] for name in ("noisy", "clean", "noise"))
    assert measured == pytest.approx(10 * np.log10(np.sum(clean**2) / np.sum((noisy - clean) ** 2)), abs=1e-9)
    assert measured == pytest.approx(snr, abs=0.01)
    np.testing.assert_allclose(noisy - clean, noise, atol=1.01 * 2**-15)


def test_the_measured_snr_shows_what_16_bits_cannot_hold(tmp_path):
    assert write_mixture(mix(*signals(level=1e-4), 20.0), tmp_path, "utt") < 19.0
