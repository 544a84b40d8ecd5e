import errno
import struct
import subprocess
import sys
from pathlib import Path

import kaldiio
import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from merit.data import audio
from merit.data.audio import (
    audio_digest,
    audio_duration,
    entry_file,
    entry_stamp,
    read_audio,
    stamped_entry,
    to_16_bits,
    write_audio,
)
from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE


@pytest.fixture
def pcm():
    """Two seconds of 16-bit noise, full scale included."""
    samples = np.random.default_rng(0).integers(-8000, 8000, 32000, dtype=np.int16)
    samples[:2] = -32768, 32767
    return samples


def tone(frequency, rate, seconds=1.0):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_files_are_read_as_fractions_of_full_scale(tmp_path, pcm, suffix):
    path = str(tmp_path / f"a.{suffix}")
    soundfile.write(path, pcm, 16000)
    samples = read_audio(path, "utt")
    assert samples.dtype == np.float32 and samples.shape == (32000,)
    np.testing.assert_array_equal(samples, pcm / 32768)
    assert audio_duration(path, "utt") == 2.0


@pytest.mark.parametrize("suffix, subtype", [("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III")])
def test_lossy_formats_are_read(tmp_path, suffix, subtype):
    path = str(tmp_path / f"a.{suffix}")
    soundfile.write(path, tone(440, 16000), 16000, subtype=subtype)
    spectrum = np.abs(np.fft.rfft(read_audio(path, "utt")[:16000]))
    assert abs(int(spectrum.argmax()) - 440) <= 1


@pytest.mark.filterwarnings("ignore:Chunk .non-data. not understood")
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_wav_of_any_width_agrees_with_scipy(tmp_path, subtype):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, tone(440, 16000), 16000, subtype=subtype)
    _, expected = wavfile.read(path)
    scale = {"uint8": 128, "int32": 2**31}.get(expected.dtype.name, 1)
    expected = (expected.astype(np.float64) - (128 if subtype == "PCM_U8" else 0)) / scale
    np.testing.assert_allclose(read_audio(path, "utt"), expected, atol=1e-7)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_any_rate_and_channel_count_becomes_16_khz_mono(tmp_path, rate):
    path = str(tmp_path / "a.wav")
    stereo = np.stack([1.5 * tone(1000, rate), 0.5 * tone(1000, rate)], axis=1)
    soundfile.write(path, stereo, rate, subtype="FLOAT")
    samples = read_audio(path, "utt")
    assert len(samples) == 16000
    # The mean of both channels is the same tone, which sampled at 16 kHz is known in closed form.
    np.testing.assert_allclose(samples[500:-500], tone(1000, 16000)[500:-500], atol=1e-4)


@pytest.mark.parametrize("suffix, subtype", [("wav", "PCM_16"), ("flac", "PCM_16"), ("sph", "ULAW")])
def test_parts_of_a_recording_and_of_its_channels(tmp_path, suffix, subtype):
    path = tmp_path / f"a b.{suffix}"
    both = np.stack([tone(440, 16000, 2), tone(1000, 16000, 2)], axis=1)
    soundfile.write(path, both, 16000, subtype=subtype, format="NIST" if suffix == "sph" else None)
    whole = soundfile.read(path, dtype="float32")[0]
    for channel in (0, 1):
        entry = f"{path}[0.25:1.5:{channel}]"
        np.testing.assert_array_equal(read_audio(entry, "utt"), whole[4000:24000, channel])
        assert audio_duration(entry, "utt") == 1.25
    np.testing.assert_allclose(read_audio(f"{path}[0:2]", "utt"), whole.mean(axis=1), atol=1e-7)
    assert entry_file(f"{path}[0:2]") == path
    stamp = entry_stamp(f"{path}[0:2]")
    assert stamped_entry(stamp) == f"{path}[0:2]" and str(path.stat().st_mtime_ns) in stamp


def test_a_file_whose_name_is_that_of_a_part_is_a_file(tmp_path):
    path = str(tmp_path / "a[0:1]")
    soundfile.write(path, tone(440, 16000, 2), 16000, format="WAV")
    assert len(read_audio(path, "utt")) == 32000 and entry_file(path) == Path(path)


@pytest.mark.parametrize(
    "part, problem",
    [
        ("[1:1]", "expected times in order, within the 2.000 seconds"),
        ("[1.5:1]", "expected times in order"),
        ("[1:2.01]", "expected times in order"),
        ("[0:1:2]", "2 channel\\(s\\), counted from 0"),
        ("[0:-1]", "no such file"),
    ],
)
def test_parts_that_a_recording_does_not_have_are_refused(tmp_path, part, problem):
    soundfile.write(tmp_path / "a.wav", np.zeros((32000, 2)), 16000)
    for read in (read_audio, audio_duration):
        with pytest.raises(MeritError, match=f"utt: .*{problem}"):
            read(f"{tmp_path}/a.wav{part}", "utt")


def test_resampling_leaves_no_alias(tmp_path):
    path = str(tmp_path / "a.wav")
    soundfile.write(path, tone(9000, 44100), 44100, subtype="FLOAT")
    assert np.abs(read_audio(path, "utt")[500:-500]).max() < 1e-4


def test_archives_and_commands(tmp_path, pcm):
    with kaldiio.WriteHelper(f"ark,scp:{tmp_path}/a.ark,{tmp_path}/a.scp") as writer:
        writer("u1", (16000, pcm))
        writer("u2", (8000, pcm[:8000]))
        writer("u3", np.ones((3, 4), dtype=np.float32))
    entries = dict(line.split(maxsplit=1) for line in (tmp_path / "a.scp").read_text().splitlines())
    np.testing.assert_array_equal(read_audio(entries["u1"], "u1"), pcm / 32768)
    assert audio_duration(entries["u1"], "u1") == 2.0
    assert read_audio(entries["u2"], "u2").shape == (16000,)
    with pytest.raises(MeritError, match="u3.*a matrix, not audio"):
        read_audio(entries["u3"], "u3")
    soundfile.write(tmp_path / "a.flac", pcm, 16000)
    np.testing.assert_array_equal(read_audio(f"cat {tmp_path}/a.flac |", "u4"), pcm / 32768)
    # A stream of unknown length, as sox writes it into a pipe.
    fields = b"RIFF", 0x7FFFFFFF, b"WAVE", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16, b"data", 0x7FFFFFDB
    header = struct.pack("<4sI4s4sIHHIIHH4sI", *fields)
    (tmp_path / "stream.wav").write_bytes(header + pcm.tobytes())
    np.testing.assert_array_equal(read_audio(str(tmp_path / "stream.wav"), "u5"), pcm / 32768)
    np.testing.assert_array_equal(read_audio(f"cat {tmp_path}/stream.wav |", "u5"), pcm / 32768)


def test_truncated_archive(tmp_path, pcm):
    kaldiio.save_ark(f"{tmp_path}/a.ark", {"u1": (16000, pcm)}, scp=f"{tmp_path}/a.scp")
    entry = (tmp_path / "a.scp").read_text().split()[1]
    ark = tmp_path / "a.ark"
    ark.write_bytes(ark.read_bytes()[:-1000])
    with pytest.raises(MeritError, match="u1: .*truncated, 1000 bytes are missing"):
        read_audio(entry, "u1")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_truncated_files(tmp_path, pcm, suffix, share):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, pcm, 16000)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(MeritError, match=f"utt: {path}: .*truncated"):
        read_audio(str(path), "utt")


@pytest.mark.parametrize(
    "name, content, expected",
    [
        ("gone.wav", None, "there is no such file"),
        ("empty.wav", b"", "the file is empty"),
        ("text.wav", b"no audio at all", "cannot be decoded"),
        ("gone.ark:5", None, "there is no archive"),
    ],
)
def test_unusable_files_name_utterance_and_file(tmp_path, name, content, expected):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    for function in (read_audio, audio_duration):
        with pytest.raises(MeritError) as error:
            function(str(path), "utt-7")
        assert str(error.value).startswith(f"utt-7: {path}: ") and expected in str(error.value)


def test_an_audio_file_without_samples_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0), 16000)
    with pytest.raises(MeritError, match="utt: .*no samples"):
        read_audio(str(tmp_path / "a.wav"), "utt")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_refused(tmp_path, value):
    soundfile.write(tmp_path / "a.wav", np.array([0.1, value, 0.2]), 44100, subtype="FLOAT")
    with pytest.raises(MeritError, match="utt: .*NaN or infinite"):
        read_audio(str(tmp_path / "a.wav"), "utt")


def test_failing_command_shows_its_own_words():
    with pytest.raises(MeritError, match="utt: .*status 3: decoder is broken"):
        read_audio("echo decoder is broken >&2; exit 3 |", "utt")
    with pytest.raises(MeritError, match="utt: .*output cannot be decoded"):
        read_audio("echo no audio |", "utt")


def test_no_command_is_run_where_they_are_refused(tmp_path, monkeypatch):
    made = tmp_path / "made"
    entry = f"touch {made} |"
    monkeypatch.setenv("MERIT_NO_PIPES", "true")
    for function in (read_audio, audio_duration):
        with pytest.raises(MeritError, match="^utt: touch .*: a command, which --no-pipes does not run"):
            function(entry, "utt")
    assert not made.exists()
    monkeypatch.setenv("MERIT_NO_PIPES", "false")
    with pytest.raises(MeritError, match="output cannot be decoded"):
        read_audio(entry, "utt")
    assert made.exists()


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_written_audio_is_16_bit_and_comes_back_bit_by_bit(tmp_path, pcm, suffix):
    path = tmp_path / "new" / f"a.{suffix}"
    write_audio(path, pcm / 32768)
    information = soundfile.info(path)
    assert (information.samplerate, information.channels, information.subtype) == (SAMPLE_RATE, 1, "PCM_16")
    np.testing.assert_array_equal(soundfile.read(path, dtype="int16")[0], pcm)


def test_clipping_is_counted(tmp_path):
    assert write_audio(tmp_path / "a.wav", np.array([0.5, 1.5, -1.0, -3.0])) == 2
    np.testing.assert_array_equal(soundfile.read(tmp_path / "a.wav", dtype="int16")[0], [16384, 32767, -32768, -32768])


def test_unwritable_audio_is_refused(tmp_path):
    with pytest.raises(MeritError, match="a.wav: .*NaN"):
        write_audio(tmp_path / "a.wav", np.array([0.0, np.nan]))
    with pytest.raises(MeritError, match="a.mp3: .*flac"):
        write_audio(tmp_path / "a.mp3", np.zeros(10))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(tmp_path, pcm, monkeypatch):
    # What libsndfile was seen to do on a full disk: a FLAC without its end, and no error.
    def write_half(path, *arguments, **options):
        soundfile_write(path, *arguments, **options)
        Path(path).write_bytes(Path(path).read_bytes()[:20000])

    soundfile_write = soundfile.write
    monkeypatch.setattr(audio.soundfile, "write", write_half)
    with pytest.raises(MeritError, match="a.flac: .*disk"):
        write_audio(tmp_path / "a.flac", pcm / 32768)
    assert list(tmp_path.iterdir()) == []


def test_disk_full_error_of_the_system_becomes_a_message(tmp_path, pcm, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(audio.soundfile, "write", refuse)
    with pytest.raises(MeritError, match="a.flac: the disk is full"):
        write_audio(tmp_path / "a.flac", pcm / 32768)


def test_stamp_changes_with_the_file(tmp_path, pcm):
    path = tmp_path / "a.wav"
    soundfile.write(path, pcm, 16000)
    before = entry_stamp(str(path))
    assert entry_stamp(str(path)) == before
    soundfile.write(path, pcm[:100], 16000)
    assert entry_stamp(str(path)) != before
    assert entry_stamp("cat a.wav |") == "cat a.wav |"


def test_16_khz_audio_is_read_without_importing_torch(tmp_path, pcm):
    soundfile.write(tmp_path / "a.wav", pcm, 16000)
    code = "import sys; from merit.data import audio; audio.read_audio(sys.argv[1], 'u'); print('torch' in sys.modules)"
    command = [sys.executable, "-c", code, str(tmp_path / "a.wav")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_audio_digest_sees_other_audio(tmp_path):
    audio = tmp_path / "a.flac"
    audio.write_bytes(b"1")
    digest = audio_digest({"a": str(audio)})
    assert audio_digest({"a": str(audio)}) == digest
    assert audio_digest({"b": str(audio)}) != digest
    audio.write_bytes(b"12")
    assert audio_digest({"a": str(audio)}) != digest
    with pytest.raises(MeritError, match="a: .*none.flac: there is no such file"):
        audio_digest({"a": str(tmp_path / "none.flac")})


def test_rounding_to_16_bits_is_what_libsndfile_reads_back(tmp_path):
    samples = np.random.default_rng(0).uniform(-1.2, 1.2, (500, 2))
    integers = to_16_bits(samples)
    assert integers.dtype == np.int16 and integers.shape == samples.shape
    inside = np.abs(samples) < 32767 / 32768
    assert (np.abs(integers / 32768 - samples)[inside] <= 0.5 / 32768).all()
    assert (integers[samples >= 1] == 32767).all() and (integers[samples <= -1] == -32768).all()
    soundfile.write(tmp_path / "a.wav", integers, 16000)
    np.testing.assert_array_equal(soundfile.read(tmp_path / "a.wav")[0], integers / 32768)
    every = np.arange(-32768, 32768, dtype=np.int16)
    np.testing.assert_array_equal(to_16_bits(every.astype(np.float32) / 32768), every)
