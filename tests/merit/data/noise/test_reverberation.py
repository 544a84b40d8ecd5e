import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter

from merit.data.audio import entry_stamp
from merit.data.noise.recordings import PARTS, NoiseFile
from merit.data.noise.reverberation import DIRECT, draw_response, normalise, response_files, reverberate
from merit.errors import MeritError

RATE = 16000


def room(delay=200, length=4000, level=0.3, seed=0):
    """A direct path and exponentially decaying reflections after 5 ms."""
    response = np.zeros(length)
    response[delay] = level
    tail = np.arange(length - delay - 80)
    response[delay + 80 :] = 0.1 * level * np.random.default_rng(seed).standard_normal(len(tail)) * np.exp(-tail / 600)
    return response


def speech(length=6000, seed=1):
    return (0.1 * lfilter([1], [1, -0.9], np.random.default_rng(seed).standard_normal(length))).astype(np.float32)


def saved(tmp_path, response, rate=RATE, name="rir.wav"):
    path = tmp_path / name
    soundfile.write(path, response, rate, subtype="FLOAT")
    return str(path), entry_stamp(str(path))


@pytest.mark.parametrize("samples, length", [(6000, 4000), (20000, 4000), (500, 4000), (20000, 4096), (4193, 4000)])
def test_reverberant_speech_is_a_convolution_aligned_by_the_direct_path(tmp_path, samples, length):
    response = room(length=length).astype(np.float32).astype(np.float64)
    path = saved(tmp_path, response)
    full = np.convolve(speech(samples).astype(np.float64), response)
    scale = 1 / np.sqrt(np.sum(response[200 - 40 : 200 + 41] ** 2))  # 2.5 ms to either side
    expected = scale * full[200 : 200 + samples]
    np.testing.assert_allclose(reverberate(speech(samples), *path), expected, atol=1e-12)
    single = reverberate(speech(samples), *path, np.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, atol=2e-6)


@pytest.mark.parametrize("level", [0.01, -0.7])
def test_without_reflections_speech_stays_as_it_is(tmp_path, level):
    response = np.zeros(1000)
    response[321] = level
    np.testing.assert_allclose(reverberate(speech(), *saved(tmp_path, response)), speech(), atol=1e-7)


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5])
def test_the_level_does_not_depend_on_where_between_samples_the_direct_path_arrives(fraction):
    samples = np.arange(2000)
    response = 0.2 * np.sinc(samples - 500 - fraction) + 0.02 * np.sinc(samples - 900)
    scaled, delay = normalise(response)
    assert delay in (500, 501)
    assert np.sum(scaled[480:521] ** 2) == pytest.approx(1, abs=0.02)
    assert np.abs(np.fft.rfft(scaled[delay - DIRECT : delay + DIRECT]))[5:30].mean() == pytest.approx(1, abs=0.05)


def test_the_first_channel_is_heard_at_any_sample_rate(tmp_path):
    stereo = np.stack([room(), -room(delay=900, seed=3)], axis=1)
    expected = reverberate(speech(), *saved(tmp_path, room()))
    np.testing.assert_array_equal(reverberate(speech(), *saved(tmp_path, stereo, name="stereo.wav")), expected)
    smooth = np.zeros((3 * 500, 1))
    smooth[300] = 1  # at 48 kHz sample 300 is 100 at 16 kHz
    tone = np.sin(2 * np.pi * 1000 / RATE * np.arange(3000)).astype(np.float32)
    heard = reverberate(tone, *saved(tmp_path, smooth, 48000, "48k.wav"))
    np.testing.assert_allclose(heard[300:-300], tone[300:-300], atol=0.04)  # resampling takes a band of 5 % away


@pytest.mark.parametrize(
    "response, expected",
    [
        (np.zeros(1000), "silent"),
        (np.array([0.1, np.nan, 0.2]), "NaN"),
        (np.concatenate([0.5 * np.random.default_rng(0).standard_normal(3000), [3.0]]), "no impulse response"),
    ],
)
def test_what_is_no_impulse_response_is_named(tmp_path, response, expected):
    with pytest.raises(MeritError, match=f"impulse response: .*rir.wav: .*{expected}"):
        reverberate(speech(), *saved(tmp_path, response))
    (tmp_path / "rir.wav").write_bytes(b"no audio")
    with pytest.raises(MeritError, match="impulse response: .*rir.wav: cannot be decoded"):
        reverberate(speech(), str(tmp_path / "rir.wav"), "another stamp")


def test_a_folder_of_responses_is_split_once(tmp_path):
    (tmp_path / "rirs").mkdir()
    for number in range(20):
        saved(tmp_path / "rirs", room(seed=number), name=f"{number}.wav")
    manifest = tmp_path / "data" / "rir" / "rirs.tsv"
    parts = {part: {file.file for file in response_files(tmp_path / "rirs", manifest, part)} for part in PARTS}
    assert {part: len(files) for part, files in parts.items()} == {"train": 16, "dev": 2, "test": 2}
    assert set().union(*parts.values()) == {str(tmp_path / "rirs" / f"{number}.wav") for number in range(20)}
    with pytest.raises(MeritError, match="--rir .*nowhere: no audio files"):
        response_files(tmp_path / "nowhere", manifest, "train")


def test_draws_follow_from_the_utterance_and_the_seed_alone():
    files = [NoiseFile("test", f"{number}.wav", 1, "") for number in range(10)]
    drawn = [draw_response(f"utt{number}", files, 0) for number in range(200)]
    assert drawn == [draw_response(f"utt{number}", files, 0) for number in range(200)]
    assert set(drawn) == {file.file for file in files}
    assert drawn != [draw_response(f"utt{number}", files, 1) for number in range(200)]
