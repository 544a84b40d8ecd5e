"""Writing files so that a reader never sees half of one, and telling whether one has changed."""

import csv
import errno
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from merit.errors import MeritError

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the quota is used up; free some space and run the same command again",
    errno.EROFS: "the file system is read-only; make it writable, or write elsewhere, and run the same command again",
}


def why_not_written(number: int | None) -> str | None:
    """What a person can do about an error of the system (``errno``) in writing; None when it is of another kind."""
    return _REASONS.get(number)


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield an empty file beside ``path``; rename it to ``path`` when the block ends well, delete it otherwise.

    The temporary name keeps the suffix of ``path``, since audio libraries choose the format by it.

    Raises:
        MeritError: when the disk is full, the quota used up or the file system read-only.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()  # libraries that cannot open a file do not all say why
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        if problem := why_not_written(error.errno):
            raise MeritError(f"{path}: {problem}") from error
        raise


def sha256(path: Path | str) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def write_text(path: Path | str, text: str) -> None:
    """Write ``text`` to ``path`` in one step."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]], line_end: str = "\n") -> str:
    """A table as CSV with a header; cells are written as ``str`` gives them, None as an empty one."""
    text = io.StringIO()
    csv.writer(text, lineterminator=line_end).writerows([header, *rows])
    return text.getvalue()
