"""What an encoder made of a data directory, on disk: 16-bit safetensors shards of about 1 GB, an index and a header.

The content is the hidden states of all layers, or the features that the convolutional front end gives the transformer.
:mod:`merit.data.shard_writer` writes it. A directory holds

``states.00000.safetensors`` ...
    utterance -> states (T, L, D) or features (T, C); the metadata of every shard repeats the header, so a shard says
    what it is. Numbers may be missing.
``index.tsv``
    ``utterance<TAB>shard<TAB>frames`` lines, sorted by utterance.
``header.json``
    what this is: content, encoder, its fingerprint, definition of the states, normalisation, audio. Written last, so a
    directory with a header is complete.
"""

import hashlib
import json
import logging
import shutil
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open
from torch import Tensor

from merit.data.audio import entry_stamp
from merit.errors import MeritError

logger = logging.getLogger(__name__)

StateType = Literal["bfloat16", "float16"]
"""Types that a dump may be stored in."""

Content = Literal["states", "features"]
"""What is dumped: the states (T, L, D), or what the front end gives the transformer (T, C), from which they follow."""

HEADER = "header.json"
INDEX = "index.tsv"

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
            "another disk, or train with --feats features, which stores little, or --feats online, which stores nothing"
        )


def shard_path(directory: Path, shard: int) -> Path:
    """Where a shard of a dump lies."""
    return directory / f"states.{shard:05d}.safetensors"


def open_shard(path: Path) -> Any:
    """A shard, mapped into memory.

    Raises:
        MeritError: when it is missing or damaged.
    """
    try:
        return safe_open(path, framework="pt")
    except (OSError, SafetensorError) as error:
        raise MeritError(
            f"{path}: missing or damaged ({error}); delete it and {path.parent / HEADER}, and run the dump again: "
            "it makes only what is missing"
        ) from error


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """The entries of a header that are not as expected, in words; nothing when all are."""
    found = {"content": "states"} | dict(found)  # dumps of earlier versions do not say so
    names = [name for name, value in expected.items() if found.get(name) != value]
    return "; ".join(f"{name} is {found.get(name)} there and {expected[name]} here" for name in names)


class ShardReader:
    """Reads a complete dump of states or features; can be handed to the workers of a data loader.

    Args:
        directory: directory of the dump.
        expected: header entries that must have these values; an entry ``content`` says states or features.

    Attributes:
        header: what was dumped.
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
                f"{self.directory}: no complete dump ({Path(error.filename).name} is missing); "
                "run the dump (stage 3), which goes on where it stopped"
            ) from error
        if problem := differences(self.header, expected or {}):
            raise MeritError(
                f"{self.directory}: this dump, of encoder {self.header.get('encoder')}, does not fit this run: "
                f"{problem}. Delete the directory and dump again (stage 3), or run with what it was dumped with"
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
            raise MeritError(f"{self.directory}: utterance {key} was not dumped; run the dump again (stage 3)")
        return self._index[key]

    def frames(self, key: str) -> int:
        """T of an utterance."""
        return self._entry(key)[1]

    def shard_of(self, key: str) -> int:
        """Number of the shard that an utterance lies in; reading is fast when few shards are read at a time."""
        return self._entry(key)[0]

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Tensor:
        """Some frames of one utterance: states (stop - start, L, D) or features (stop - start, C), as they were stored.

        The tensor is a view of the mapped file: only these frames are read, and not before they are used.
        """
        shard, frames = self._entry(key)
        if shard in self._open:
            self._open.move_to_end(shard)
        else:
            self._open[shard] = open_shard(shard_path(self.directory, shard))
            if len(self._open) > OPEN_SHARDS:
                self._open.popitem(last=False)
        try:
            return self._open[shard].get_slice(key)[start : frames if stop is None else stop]
        except SafetensorError as error:
            path = shard_path(self.directory, shard)
            raise MeritError(f"{path}: utterance {key} cannot be read: {error}") from error
