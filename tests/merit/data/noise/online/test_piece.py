"""Pieces are those of the whole recording, and no more is read for them than they need."""

import numpy as np
import pytest
import soundfile
from made_audio import write

from merit.data.audio import read_audio
from merit.data.noise.mixing import noise_piece
from merit.data.noise.online import piece
from merit.data.noise.online.kept_audio import KeptAudio
from merit.data.noise.online.piece import read_piece, size_of
from merit.errors import MeritError


@pytest.mark.parametrize("rate", [16000, 8000, 22050, 44100, 48000])
@pytest.mark.parametrize("seconds", [0.4, 7.3])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("room", [0, 2**25])
def test_a_piece_is_that_of_the_whole_recording(tmp_path, monkeypatch, rate, seconds, channels, room):
    """Where nothing is resampled bit by bit; else to the rounding of the filter's sums."""
    monkeypatch.setattr(piece, "KEPT", KeptAudio(room))
    samples = 0.1 * np.random.default_rng(0).standard_normal((round(seconds * rate), channels))
    file = write(tmp_path / f"{rate}.wav", samples, rate)
    whole = read_audio(file, "noise")
    for place in (0.0, 0.123, 0.5, 0.77, 0.999999):
        found, offset = read_piece(file, place, 20000)
        expected, expected_offset = noise_piece(whole, place, 20000)
        assert offset == expected_offset and found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=0 if rate == 16000 else 1e-6)


class Counted(soundfile.SoundFile):
    """Counts the frames that are read of all files."""

    frames_read = 0

    def read(self, *arguments, **options):
        samples = super().read(*arguments, **options)
        Counted.frames_read += len(samples)
        return samples


@pytest.mark.parametrize("suffix, rate", [("wav", 16000), ("flac", 44100), ("ogg", 24000)])
def test_of_an_hour_a_few_seconds_are_read(tmp_path, monkeypatch, suffix, rate):
    file = tmp_path / f"hour.{suffix}"
    second = (0.1 * np.random.default_rng(0).standard_normal(rate)).astype(np.float32)
    with soundfile.SoundFile(file, "w", rate, 1) as sound:
        for _ in range(3600 if suffix == "wav" else 600):  # the others take long to write
            sound.write(second)
    monkeypatch.setattr(Counted, "frames_read", 0)
    monkeypatch.setattr(soundfile, "SoundFile", Counted)
    size_of.cache_clear()
    for place in (0.0, 0.5, 0.98):
        assert len(read_piece(str(file), place, 48000)[0]) == 48000
    # Three seconds each and, where they are resampled, the four that they touch and some milliseconds more.
    assert 3 * 3 * rate <= Counted.frames_read <= 3 * (3 if rate == 16000 else 4.2) * rate


@pytest.mark.parametrize(
    "rate, suffix", [(44100, "wav"), (48000, "flac"), (24000, "ogg"), (16000, "mp3"), (11111, "wav")]
)
def test_what_is_heard_depends_on_no_room_for_it(tmp_path, monkeypatch, rate, suffix):
    """So that workers that have read other things before hear the same."""
    file = str(tmp_path / f"noise.{suffix}")
    soundfile.write(file, 0.1 * np.random.default_rng(0).standard_normal(round(8.7 * rate)), rate)
    kept = [read_piece(file, place, 30000)[0] for place in (0.1, 0.2, 0.9)]
    monkeypatch.setattr(piece, "KEPT", KeptAudio(room=0))
    for place, expected in zip((0.1, 0.2, 0.9), kept):
        np.testing.assert_array_equal(read_piece(file, place, 30000)[0], expected)


def test_a_file_is_looked_at_once(tmp_path, monkeypatch):
    file = write(tmp_path / "noise.wav", np.full(9000, 0.1))
    looked = []
    monkeypatch.setattr("merit.data.noise.online.piece.audio_duration", lambda file, key: looked.append(file))
    size_of.cache_clear()
    for _ in range(3):
        read_piece(file, 0.5, 100)
    assert looked == [file]


def test_files_that_cannot_be_read_are_named(tmp_path):
    empty = write(tmp_path / "empty.wav", np.zeros(0))
    nan = write(tmp_path / "nan.wav", np.array([np.nan] * 31 * 16000))
    cut = write(tmp_path / "cut.flac", 0.1 * np.random.default_rng(0).standard_normal(31 * 16000))
    content = (tmp_path / "cut.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(content[: len(content) // 2])
    for file, reason in (
        (str(tmp_path / "none.wav"), "none.wav: there is no such file"),
        (empty, "empty.wav: holds no samples; remove it"),
        (nan, "nan.wav: holds NaN or infinite samples; restore or remove it"),
        (cut, "cut.flac: (damaged or )?truncated"),
    ):
        with pytest.raises(MeritError, match=reason):
            read_piece(file, 0.99, 4000)
