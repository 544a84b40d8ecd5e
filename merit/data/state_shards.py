"""Hidden states on disk: 16-bit safetensors shards of about 1 GB with an index and a header.

A directory of states holds

``states.00000.safetensors`` ...
    utterance -> states (T, L, D); the metadata of every shard repeats the header, so a shard says what it is.
``index.tsv``
    ``utterance<TAB>shard<TAB>frames`` lines, sorted by utterance.
``header.json``
    what the states are: encoder, its fingerprint, definition of the states, normalisation, audio. Written last, so a
    directory with a header is complete.
"""

import hashlib
import json
import logging
import re
import shutil
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from safetensors import SafetensorError, safe_open
from torch import Tensor

from merit.data.audio import entry_stamp
from merit.data.tensors import save_tensors
from merit.errors import MeritError
from merit.files import write_text

logger = logging.getLogger(__name__)

StateType = Literal["bfloat16", "float16"]
"""Types that states may be stored in."""

HEADER = "header.json"
INDEX = "index.tsv"
SHARD_BYTES = 10**9

OPEN_SHARDS = 8
"""Shards a reader keeps open; the batch sampler draws from a few at a time."""


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


def require_disk_space(directory: Path, needed: int) -> None:
    """Refuse to start writing ``needed`` more bytes under ``directory`` when so many are not free.

    Raises:
        MeritError: with both numbers.
    """
    directory.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(directory).free
    logger.info("%s: %.3f GB to write, %.1f GB free", directory, needed / 1e9, free / 1e9)
    if needed > free:
        raise MeritError(
            f"{directory}: {needed / 1e9:.3f} GB are needed and {free / 1e9:.3f} GB are free. Free some space, choose "
            "another disk, or train with --feats online, which stores no states"
        )


def _shard_path(directory: Path, shard: int) -> Path:
    return directory / f"states.{shard:05d}.safetensors"


def _open_shard(path: Path) -> Any:
    try:
        return safe_open(path, framework="pt")
    except (OSError, SafetensorError) as error:
        raise MeritError(
            f"{path}: missing or damaged ({error}); delete it and {path.parent / HEADER}, and run the dump again: "
            "it makes only what is missing"
        ) from error


def _differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    names = [name for name, value in expected.items() if found.get(name) != value]
    return "; ".join(f"{name} is {found.get(name)} there and {expected[name]} here" for name in names)


class ShardWriter:
    """Writes the states of a data directory; what was there from an interrupted dump is kept.

    Use it as a context manager: leaving it normally completes the directory, leaving it by an exception keeps what was
    written so far for the next time.

    Args:
        directory: directory of the states.
        header: JSON values that say what the states are. All but ``encoder``, the name the encoder was loaded by, must
            be equal for a dump to be continued.
        shard_bytes: states are collected in memory up to so many bytes, then written as one shard.

    Attributes:
        frames: utterance -> frames, of all utterances that are on disk.

    Raises:
        MeritError: when the directory holds states that do not fit the header, or the disk is full.
    """

    def __init__(self, directory: Path, header: Mapping[str, Any], shard_bytes: int = SHARD_BYTES) -> None:
        self.directory = Path(directory)
        self.header = dict(header)
        self.shard_bytes = shard_bytes
        self.frames: dict[str, int] = {}
        self._shard_of: dict[str, int] = {}
        self._pending: dict[str, Tensor] = {}
        self._pending_bytes = 0
        self._next_shard = 0
        self.directory.mkdir(parents=True, exist_ok=True)
        for left_behind in self.directory.glob(".states.*.tmp.safetensors"):  # of a dump that was killed
            left_behind.unlink()
        for path in sorted(self.directory.glob("states.*.safetensors")):
            self._take_up(path)

    def _take_up(self, path: Path) -> None:
        shard = int(re.fullmatch(r"states\.(\d+)\.safetensors", path.name)[1])
        with _open_shard(path) as tensors:
            found = json.loads(tensors.metadata()["header"])
            self._require_same(found)
            for key in tensors.keys():
                self.frames[key] = tensors.get_slice(key).get_shape()[0]
                self._shard_of[key] = shard
        self._next_shard = shard + 1

    def _require_same(self, found: Mapping[str, Any]) -> None:
        expected = {name: value for name, value in self.header.items() if name != "encoder"}
        if problem := _differences(found, expected):
            raise MeritError(
                f"{self.directory}: holds other states (of encoder {found.get('encoder')}): {problem}. "
                "Delete the directory to dump these anew, or give another --output"
            )

    @property
    def bytes_on_disk(self) -> int:
        """Size of the shards."""
        return sum(path.stat().st_size for path in self.directory.glob("states.*.safetensors"))

    def write(self, key: str, states: Tensor) -> None:
        """Add the states (T, L, D) of one utterance, in the 16-bit type they are to be stored in."""
        self._pending[key] = states.cpu().contiguous()
        self._pending_bytes += states.nbytes
        if self._pending_bytes >= self.shard_bytes:
            self.flush()

    def flush(self) -> None:
        """Write what was collected as a shard of its own."""
        if not self._pending:
            return
        (self.directory / HEADER).unlink(missing_ok=True)  # not complete until the index has this shard too
        path = _shard_path(self.directory, self._next_shard)
        save_tensors(self._pending, path, metadata={"header": json.dumps(self.header)})
        self.frames |= {key: len(states) for key, states in self._pending.items()}
        self._shard_of |= dict.fromkeys(self._pending, self._next_shard)
        self._next_shard += 1
        self._pending, self._pending_bytes = {}, 0

    def complete(self) -> None:
        """Write what is left, the index and, last, the header."""
        self.flush()
        lines = (f"{key}\t{self._shard_of[key]}\t{self.frames[key]}\n" for key in sorted(self.frames))
        write_text(self.directory / INDEX, "".join(lines))
        write_text(self.directory / HEADER, json.dumps(self.header, indent=2) + "\n")

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.complete()
        else:
            self.flush()


class ShardReader:
    """Reads the states of a complete dump; can be handed to the workers of a data loader.

    Args:
        directory: directory of the states.
        expected: header entries that must have these values.

    Attributes:
        header: what the states are.
        keys: the utterances, sorted.

    Raises:
        MeritError: when the dump is missing, not complete, or not what is expected; the entries that differ are named.
    """

    def __init__(self, directory: Path | str, expected: Mapping[str, Any] | None = None) -> None:
        self.directory = Path(directory)
        try:
            self.header = json.loads((self.directory / HEADER).read_text(encoding="utf-8"))
            lines = (self.directory / INDEX).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError as error:
            raise MeritError(
                f"{self.directory}: no complete dump of states ({Path(error.filename).name} is missing); "
                "run the dump (stage 3), which goes on where it stopped"
            ) from error
        if problem := _differences(self.header, expected or {}):
            raise MeritError(
                f"{self.directory}: these states, of encoder {self.header.get('encoder')}, do not fit this run: "
                f"{problem}. Delete the directory and dump again (stage 3), or run with what they were dumped with"
            )
        self._index: dict[str, tuple[int, int]] = {}
        for line in lines:
            key, shard, frames = line.split("\t")
            self._index[key] = (int(shard), int(frames))
        self.keys = list(self._index)
        self._open: OrderedDict[int, Any] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": OrderedDict()}  # every process opens the shards for itself

    def _entry(self, key: str) -> tuple[int, int]:
        if key not in self._index:
            raise MeritError(f"{self.directory}: no states of utterance {key}; run the dump again (stage 3)")
        return self._index[key]

    def frames(self, key: str) -> int:
        """T of an utterance."""
        return self._entry(key)[1]

    def shard_of(self, key: str) -> int:
        """Number of the shard that an utterance lies in; reading is fast when few shards are read at a time."""
        return self._entry(key)[0]

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Tensor:
        """States (stop - start, L, D) of one utterance in the 16-bit type of the dump; only these frames are read."""
        shard, frames = self._entry(key)
        if shard in self._open:
            self._open.move_to_end(shard)
        else:
            self._open[shard] = _open_shard(_shard_path(self.directory, shard))
            if len(self._open) > OPEN_SHARDS:
                self._open.popitem(last=False)
        try:
            return self._open[shard].get_slice(key)[start : frames if stop is None else stop]
        except SafetensorError as error:
            path = _shard_path(self.directory, shard)
            raise MeritError(f"{path}: utterance {key} cannot be read: {error}") from error
