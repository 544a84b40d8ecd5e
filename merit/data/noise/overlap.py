"""Files that noise corpora have in common: by recording, by content, by samples."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import soundfile

from merit.data.audio import audio_duration
from merit.data.noise.corpora.layout import CorpusFile
from merit.data.noise.prepared_folder import progress_over
from merit.data.noise.recordings import NoiseFile
from merit.errors import MeritError


def copies(described: Mapping[str, NoiseFile]) -> dict[str, str]:
    """Find the files that have the content of an earlier one, and say of which."""
    first: dict[str, str] = {}
    for file, row in described.items():
        first.setdefault(row.content, file)
    return {file: f"a copy of {first[row.content]}" for file, row in described.items() if first[row.content] != file}


def in_others(
    source: Path,
    chosen: Mapping[str, CorpusFile],
    durations: Mapping[str, float],
    others: Mapping[Path, Sequence[NoiseFile]],
) -> dict[str, str]:
    """Find the files that other prepared corpora have too, and say where.

    Args:
        source: folder of the corpus that is prepared.
        chosen: its files.
        durations: of these, in seconds. Only files of one duration are decoded and compared.
        others: manifests of the other corpora by their folders.

    Raises:
        MeritError: when an audio file cannot be read.
    """
    found: dict[str, str] = {}
    for folder, rows in others.items():
        recordings = {recording for row in rows for recording in row.recordings.split()}
        for file, piece in chosen.items():
            if piece.recording in recordings:
                found.setdefault(file, f"{piece.recording} is in {folder}")
        theirs = {row.file: audio_duration(str(folder / row.file), "noise") for row in rows}
        ours = {file: seconds for file, seconds in durations.items() if file not in found}
        both = {*theirs.values()} & {*ours.values()}
        same = {
            _samples(folder / file): f"the samples of {folder / file}"
            for file in progress_over([file for file, seconds in theirs.items() if seconds in both], "comparing")
        }
        for file in progress_over([file for file, seconds in ours.items() if seconds in both], "comparing"):
            if reason := same.get(_samples(source / file)):
                found[file] = reason
    return found


def _samples(path: Path) -> str:
    """Hash decoded 16-bit samples, which are the same in a FLAC and a WAV copy."""
    try:
        samples, _ = soundfile.read(path, dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise MeritError(f"{path}: damaged or truncated ({error.error_string}); restore or remove it") from error
    return hashlib.blake2b(repr(samples.shape).encode() + samples.tobytes(), digest_size=16).hexdigest()
