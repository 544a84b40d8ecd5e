import numpy as np
import pytest
from made_audio import write

from merit.data.audio import read_audio
from merit.data.noise.online import kept_audio
from merit.data.noise.online.kept_audio import KeptAudio
from merit.errors import MeritError


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Three files of 1000 samples, 4000 bytes; and what is read from disk."""
    read = []
    monkeypatch.setattr(kept_audio, "read_audio", lambda entry, key: read.append(entry) or read_audio(entry, key))
    generator = np.random.default_rng(0)
    return [write(tmp_path / f"{n}.wav", 0.1 * generator.standard_normal(1000)) for n in range(3)], read


def test_what_has_room_is_read_once_and_the_rest_every_time(files):
    names, read = files
    kept = KeptAudio(room=9000)
    for _ in range(3):
        for name in names:
            np.testing.assert_array_equal(kept.read(name, "u"), read_audio(name, "u"))
    assert [read.count(name) for name in names] == [1, 1, 3] and kept.room == 1000


def test_a_file_that_has_changed_is_read_again(files, tmp_path):
    names, read = files
    kept = KeptAudio()
    kept.read(names[0], "u")
    write(tmp_path / "0.wav", np.full(1100, 0.5))
    assert kept.read(names[0], "u").tolist() == [0.5] * 1100 and len(read) == 2


def test_nobody_can_write_to_what_is_kept(files):
    (name, *_), _ = files
    with pytest.raises(ValueError, match="read-only"):
        KeptAudio().read(name, "u")[:] *= 2


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(MeritError, match="u: .*none.wav: there is no such file"):
        KeptAudio().read(str(tmp_path / "none.wav"), "u")


def test_a_recording_is_whole_in_memory_or_not_at_all(files, monkeypatch):
    (name, other, _), _ = files
    kept, made = KeptAudio(room=5000), []

    def read():
        made.append(1)
        return np.ones(1000, dtype=np.float32)

    for _ in range(2):
        assert kept.recording(name, 1000, read).tolist() == [1.0] * 1000
    assert kept.recording(other, 1000, read) is None and len(made) == 1
    monkeypatch.setattr(kept_audio, "LARGEST", 3999)
    assert KeptAudio().recording(name, 1000, read) is None and len(made) == 1
