"""Reading any audio as 16 kHz mono, and writing it as 16-bit files."""

import hashlib
import io
import os
import re
import struct
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import soundfile

from merit.errors import MeritError
from merit.files import atomic_path
from merit.time_grid import SAMPLE_RATE

if TYPE_CHECKING:
    import torch

try:
    from omniio import kaldi as kaldiio  # the same functions under the MIT licence
except ImportError:
    import kaldiio

MIN_SAMPLES = 400
"""Samples of the shortest signal that gives one encoder frame."""

STREAMED_WAV_BYTES = 0x7FFF0000
"""A WAV header with a data size from here on was written into a pipe by a program that did not know the length."""

NO_PIPES = "MERIT_NO_PIPES"
"""Environment variable, since it must reach every process of a recipe: ``true`` refuses each ``command |``."""


def pipes_refused() -> bool:
    """Whether entries of ``wav.scp`` that are commands are refused here."""
    return os.environ.get(NO_PIPES) == "true"


def entry_file(entry: str) -> Path | None:
    """Return the file behind an entry of ``wav.scp``: the audio, the ark, or None for a ``command |``."""
    if entry.rstrip().endswith("|"):
        return None
    if (ark := _ark_and_offset(entry)) is not None:
        return ark[0]
    return Path(entry) if (span := _span(entry)) is None else Path(span.file)


def entry_stamp(entry: str) -> str:
    """Return the entry with the size and time stamp of its file: when this changes, what was made from it is old."""
    file = entry_file(entry)
    if file is None:
        return entry
    status = file.stat()
    return f"{entry} {status.st_size} {status.st_mtime_ns}"


def stamped_entry(stamp: str) -> str:
    """Return the entry that a stamp is of, whatever has become of its file since."""
    return stamp if entry_file(stamp) is None else stamp.rsplit(" ", 2)[0]


def audio_digest(wav: Mapping[str, str]) -> str:
    """SHA-256 over utterances, entries of ``wav.scp``, sizes and time stamps: another one means other audio.

    Raises:
        MeritError: when a file is missing.
    """
    digest = hashlib.sha256()
    for key, entry in sorted(wav.items()):
        try:
            digest.update(f"{key} {entry_stamp(entry)}\n".encode())
        except FileNotFoundError as error:
            raise MeritError(f"{key}: {entry}: there is no such file; correct wav.scp") from error
    return digest.hexdigest()


def read_audio(entry: str, key: str) -> np.ndarray:
    """Read one entry of ``wav.scp`` as 16 kHz mono.

    Args:
        entry: an audio file (WAV, FLAC, OGG, MP3, ... what libsndfile reads), ``archive.ark:offset`` or ``command |``.
            Any sample rate; several channels are averaged; integer samples become fractions of full scale. Of a long
            recording, ``file[start:end]`` is what lies between two times in seconds, and ``file[start:end:channel]``
            that of one channel, counted from 0 (a line of Kaldi's ``segments``).
        key: the utterance, for messages.

    Returns:
        Samples, float32 ``(S,)``.

    Raises:
        MeritError: when the file is missing, empty, truncated or undecodable, holds NaN or infinite samples, ends
            before a part that is asked for or lacks its channel, or when the command fails or is refused.
    """
    if entry.rstrip().endswith("|"):
        samples, rate = _read_pipe(entry, key)
    elif (ark := _ark_and_offset(entry)) is not None:
        samples, rate = _read_ark(entry, *ark, key)
    else:
        samples, rate = _read_file(entry, key)
    if samples.size == 0:
        raise _bad(key, entry, "holds no samples; take the utterance out of the data directory or restore the file")
    if not np.isfinite(samples).all():
        raise _bad(key, entry, "holds NaN or infinite samples; restore the file from the corpus")
    if samples.ndim == 2:
        samples = samples.mean(axis=1)
    return resample(samples.astype(np.float32), rate)


def resample(samples: np.ndarray, rate: int, target: int = SAMPLE_RATE) -> np.ndarray:
    """Bring float32 samples ``(S,)`` from ``rate`` to ``target`` (Hz); they become ``ceil(S * target / rate)``."""
    if rate == target:
        return samples
    import torch  # takes seconds to import, and most corpora are 16 kHz already

    with torch.no_grad():
        return _resampler(rate, target)(torch.from_numpy(samples)).numpy()


@lru_cache(maxsize=8)
def _resampler(rate: int, target: int) -> "torch.nn.Module":
    """Polyphase filters between two rates (Hz); making them takes longer than filtering a few seconds of audio."""
    import torch
    from torchaudio.transforms import Resample

    # A long Kaiser window, librosa's "kaiser_best": torchaudio's default of 6 zero crossings leaves audible aliases.
    return Resample(
        rate,
        target,
        lowpass_filter_width=64,
        rolloff=0.9475937167399596,
        resampling_method="sinc_interp_kaiser",
        beta=14.769656459379492,
        dtype=torch.float32,  # of the filter's own computation, as torchaudio.functional.resample has it
    )


def to_16_bits(samples: np.ndarray) -> np.ndarray:
    """Round samples, fractions of full scale in any shape, to int16; those beyond full scale are clipped.

    What was read from 16 bits comes back bit by bit. ``to_16_bits(samples) / 32768`` is what a reader gets.
    """
    return np.clip(np.rint(np.asarray(samples, dtype=np.float64) * 32768), -32768, 32767).astype(np.int16)


def write_audio(path: Path | str, samples: np.ndarray) -> int:
    """Write samples ``(S,)`` at 16 kHz as a 16-bit file, FLAC or WAV by the suffix of ``path``, in one step.

    What was read from a 16-bit file is written back bit by bit.

    Returns:
        The number of samples beyond +-1, which are clipped.

    Raises:
        MeritError: when the suffix is neither ``.flac`` nor ``.wav``, a sample is NaN or infinite, or the file cannot
            be written.
    """
    path = Path(path)
    if path.suffix not in (".flac", ".wav"):
        raise MeritError(f"{path}: audio is written as .flac or .wav; give the file one of these endings")
    if not np.isfinite(samples).all():
        raise MeritError(f"{path}: not written, since the samples hold NaN or infinity")
    integers = to_16_bits(samples)
    with atomic_path(path) as temporary:
        try:
            soundfile.write(temporary, integers, SAMPLE_RATE, subtype="PCM_16")
            # Read back, since libsndfile can leave a FLAC short on a full disk without a word.
            whole = np.array_equal(soundfile.read(temporary, dtype="int16")[0], integers)
        except (soundfile.LibsndfileError, ValueError):
            whole = False
        if not whole:
            raise MeritError(
                f"{path}: not written whole; the disk is most likely full, or the quota used up; free some space and "
                "run the same command again"
            )
    return int(np.count_nonzero(np.abs(samples) > 1))


def audio_duration(entry: str, key: str) -> float:
    """Return the duration in seconds, from the header when the entry is a file or a part of one, else by decoding it.

    Raises:
        MeritError: as ``read_audio``.
    """
    if entry_file(entry) is None or _ark_and_offset(entry) is not None:
        return len(read_audio(entry, key)) / SAMPLE_RATE
    with _open_file(str(entry_file(entry)), key) as sound:
        first, last = _frames(sound, entry, key)
        return (last - first) / sound.samplerate


def _bad(key: str, entry: str, problem: str) -> MeritError:
    return MeritError(f"{key}: {entry}: {problem}")


def _ark_and_offset(entry: str) -> tuple[Path, int] | None:
    """Split ``archive.ark:offset``, optionally with a range in brackets; None when the entry is a plain file."""
    match = re.fullmatch(r"(.+):(\d+)(\[.*\])?", entry)
    return None if match is None or os.path.isfile(entry) else (Path(match[1]), int(match[2]))


class _Span(NamedTuple):
    """A part of a recording: from ``start`` to ``end``, in seconds, of a channel or, where it is None, of all."""

    file: str
    start: float
    end: float
    channel: int | None


def _span(entry: str) -> _Span | None:
    """Split ``file[start:end]`` or ``file[start:end:channel]``; None when the entry is a plain file."""
    match = re.fullmatch(r"(.+)\[(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)(?::(\d+))?\]", entry)
    if match is None or os.path.isfile(entry):
        return None
    return _Span(match[1], float(match[2]), float(match[3]), None if match[4] is None else int(match[4]))


def _frames(sound: soundfile.SoundFile, entry: str, key: str) -> tuple[int, int]:
    """First frame of what an entry asks for, and the one behind its last."""
    span = _span(entry)
    if span is None:
        return 0, sound.frames
    first, last = (round(time * sound.samplerate) for time in (span.start, span.end))
    seconds = sound.frames / sound.samplerate
    if not first < last <= sound.frames:
        raise _bad(
            key, entry, f"expected times in order, within the {seconds:.3f} seconds of the file; correct wav.scp"
        )
    if span.channel is not None and span.channel >= sound.channels:
        raise _bad(key, entry, f"the file has {sound.channels} channel(s), counted from 0; correct wav.scp")
    return first, last


def _open_file(entry: str, key: str) -> soundfile.SoundFile:
    if not os.path.isfile(entry):
        raise _bad(key, entry, "there is no such file; correct wav.scp or the corpus path of the recipe")
    if os.path.getsize(entry) == 0:
        raise _bad(key, entry, "the file is empty; restore it from the corpus")
    if missing := _missing_wav_bytes(Path(entry)):
        raise _bad(key, entry, f"truncated, {missing} bytes are missing; restore the file from the corpus")
    if _ogg_has_no_end(Path(entry)):
        raise _bad(key, entry, "truncated, the last page of the stream is missing; restore the file from the corpus")
    try:
        return soundfile.SoundFile(entry)
    except soundfile.LibsndfileError as error:
        raise _bad(key, entry, f"cannot be decoded ({error.error_string}); restore it or convert it to WAV") from error


def _read_file(entry: str, key: str) -> tuple[np.ndarray, int]:
    span = _span(entry)
    with _open_file(entry if span is None else span.file, key) as sound:
        first, last = _frames(sound, entry, key)
        try:
            if first:
                sound.seek(first)
            samples = sound.read(last - first, dtype="float32")
        except soundfile.LibsndfileError as error:
            raise _bad(key, entry, f"damaged or truncated ({error.error_string}); restore the file") from error
        if len(samples) < last - first:
            missing = last - first - len(samples)
            raise _bad(key, entry, f"truncated, {missing} of {last - first} samples are missing; restore the file")
        if span is not None and span.channel is not None and samples.ndim == 2:
            samples = samples[:, span.channel]
        return samples, sound.samplerate


def _read_pipe(entry: str, key: str) -> tuple[np.ndarray, int]:
    if pipes_refused():
        raise _bad(key, entry, "a command, which --no-pipes does not run; give a file or an archive")
    # Not through kaldiio, which does not look at the command's exit status and reads 8 and 16-bit WAV only.
    process = subprocess.run(entry.rstrip()[:-1], shell=True, capture_output=True, check=False)
    if process.returncode != 0:
        message = process.stderr.decode(errors="replace").strip()[-500:]
        raise _bad(key, entry, f"the command failed with status {process.returncode}: {message}")
    try:
        return soundfile.read(io.BytesIO(process.stdout), dtype="float32")
    except soundfile.LibsndfileError as error:
        raise _bad(key, entry, f"the command's output cannot be decoded ({error.error_string})") from error


def _read_ark(entry: str, ark: Path, offset: int, key: str) -> tuple[np.ndarray, int]:
    if not ark.is_file():
        raise _bad(key, entry, f"there is no archive {ark}; correct wav.scp")
    if missing := _missing_wav_bytes(ark, offset):
        raise _bad(key, entry, f"truncated, {missing} bytes are missing; make the archive again")
    try:
        loaded = kaldiio.load_mat(entry)
    except Exception as error:  # kaldiio's parsers raise anything from AssertionError to struct.error
        raise _bad(key, entry, f"cannot be decoded ({error!r}); make the archive again") from error
    if not isinstance(loaded, tuple):
        raise _bad(key, entry, "a matrix, not audio; wav.scp needs an archive of WAV or FLAC (kaldiio's write_array)")
    rate, samples = loaded
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128, rate
    if np.issubdtype(samples.dtype, np.integer):
        return samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min), rate
    return samples, rate


def _missing_wav_bytes(path: Path, offset: int = 0) -> int:
    """Count the bytes that the WAV at ``offset`` announces and the file does not have (libsndfile hides this)."""
    with path.open("rb") as stream:
        stream.seek(offset)
        if stream.read(12)[:4] != b"RIFF":
            return 0
        while len(header := stream.read(8)) == 8:
            name, length = struct.unpack("<4sI", header)
            if name == b"data":
                available = os.fstat(stream.fileno()).st_size - stream.tell()
                return max(0, length - available) if length < STREAMED_WAV_BYTES else 0
            stream.seek(length + length % 2, os.SEEK_CUR)
    return 0


def _ogg_has_no_end(path: Path) -> bool:
    """Whether an Ogg file lacks the whole page that is marked as its last (RFC 3533); libsndfile plays the rest."""
    page_bytes = 65307  # the longest possible page
    with path.open("rb") as stream:
        if stream.read(4) != b"OggS":
            return False
        stream.seek(max(0, path.stat().st_size - page_bytes))
        tail = stream.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < 27 or not page[5] & 4:
        return True
    segments = page[26]
    return len(page) < 27 + segments + sum(page[27 : 27 + segments])
