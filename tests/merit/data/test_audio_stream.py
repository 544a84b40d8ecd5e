"""Streams against whole files."""

import errno
import resource

import numpy as np
import pytest
import soundfile

from merit.data.audio import read_audio
from merit.data.audio_stream import audio_writer, file_duration, overlapping_pieces, stream_audio
from merit.errors import MeritError


@pytest.mark.parametrize("length", [0, 1, 99, 100, 101, 159, 160, 161, 1000])
@pytest.mark.parametrize("block", [7, 100, 1000])
def test_pieces_overlap_and_cover_the_signal_once(length, block):
    signal = np.arange(length, dtype=np.float32)
    blocks = [signal[start : start + block] for start in range(0, length, block)]
    pieces = list(overlapping_pieces(blocks, size=100, overlap=40))
    kept = [samples if first else samples[40:] for samples, first, _ in pieces]
    assert np.array_equal(np.concatenate([signal[:0], *kept]), signal)
    assert [first for _, first, _ in pieces] == [i == 0 for i in range(len(pieces))]
    assert [last for _, _, last in pieces] == [i == len(pieces) - 1 for i in range(len(pieces))]
    assert all(len(samples) == 100 for samples, _, last in pieces if not last)
    assert all(len(samples) > 40 for samples, first, _ in pieces if not first)
    for (before, _, _), (after, _, _) in zip(pieces, pieces[1:]):
        assert np.array_equal(before[-40:], after[:40])


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("seconds", [0.3, 12.0, 33.37])
def test_stream_equals_the_whole_file(tmp_path, rate, seconds):
    signal = 0.1 * np.random.default_rng(0).standard_normal((round(seconds * rate), 2))
    soundfile.write(tmp_path / "a.wav", signal, rate, subtype="FLOAT")
    whole = read_audio(str(tmp_path / "a.wav"), "a")
    streamed = list(stream_audio(tmp_path / "a.wav"))
    assert max(len(block) for block in streamed) <= 12 * 16000
    assert len(np.concatenate(streamed)) == len(whole)
    assert np.abs(np.concatenate(streamed) - whole).max() < 1e-6


def test_bad_files_are_named(tmp_path):
    def refuses(path, *words):
        with pytest.raises(MeritError) as error:
            list(stream_audio(path))
        assert all(word in str(error.value) for word in (path.name, *words)), error.value

    refuses(tmp_path / "absent.wav", "no such file")
    (tmp_path / "empty.wav").touch()
    refuses(tmp_path / "empty.wav", "empty")
    (tmp_path / "text.wav").write_text("this is not audio")
    refuses(tmp_path / "text.wav", "decoded")
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16000)
    refuses(tmp_path / "none.wav", "no samples")
    signal = np.zeros(16000)
    signal[9000] = np.nan
    soundfile.write(tmp_path / "nan.wav", signal, 16000, subtype="FLOAT")
    refuses(tmp_path / "nan.wav", "NaN")
    noise = 0.1 * np.random.default_rng(0).standard_normal(16000 * 25)
    for name in ("cut.wav", "cut.flac"):
        soundfile.write(tmp_path / name, noise, 16000)
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) * 2 // 3])
        refuses(tmp_path / name)
    (tmp_path / "echo |").write_bytes(b"")
    refuses(tmp_path / "echo |", "rename")


def test_duration_comes_from_the_header(tmp_path):
    soundfile.write(tmp_path / "a.flac", np.zeros((4410, 2)), 44100)
    assert file_duration(tmp_path / "a.flac") == pytest.approx(0.1)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_written_in_portions_is_written_whole(tmp_path, suffix, caplog):
    integers = np.random.default_rng(0).integers(-32768, 32767, 50000)
    path = tmp_path / "new" / f"a.{suffix}"
    with audio_writer(path) as write:
        for portion in np.split(integers / 32768, [1, 20000]):
            write(portion.astype(np.float32))
        assert not path.exists()
        write(np.array([1.5, -1.5], dtype=np.float32))
    found, rate = soundfile.read(path, dtype="int16")
    assert rate == 16000 and np.array_equal(found, [*integers, 32767, -32768])
    assert "2 of 50002 samples are beyond full scale" in caplog.text
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_what_is_not_finite_is_not_written(tmp_path, value):
    with pytest.raises(MeritError, match="out.wav: not written, since the samples hold NaN or infinity"):
        with audio_writer(tmp_path / "out.wav") as write:
            write(np.zeros(100))
            write(np.array([0.0, value]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_what_the_system_refuses_to_write_is_an_error_and_leaves_nothing(tmp_path, suffix):
    # A limit on file sizes stops a write as a full disk does.
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError) as error, audio_writer(tmp_path / f"a.{suffix}") as write:
            for seed in range(10):
                write(np.random.default_rng(seed).uniform(-1, 1, 16000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert error.value.errno == errno.EFBIG
    assert list(tmp_path.iterdir()) == []
