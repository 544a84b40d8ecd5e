"""What an encoder made of a data directory, on disk: 16-bit safetensors shards of about 1 GB, an index and a header.

The content is the hidden states of all layers, or the features that the convolutional front end gives the transformer.
:mod:`merit.data.states.shard_writer` writes it. A directory holds

``states.00000.safetensors`` ...
    utterance -> states (T, L, D) or features (T, C); the metadata of every shard repeats the header, so a shard says
    what it is, and has checksums of each utterance, one for every 32 frames. Numbers may be missing.
``index.tsv``
    ``utterance<TAB>shard<TAB>frames`` lines, sorted by utterance.
``header.json``
    what this is: content, encoder, its fingerprint, definition of the states, normalisation, audio. Written last, so a
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
from typing import Any, Literal, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from xxhash import xxh3_64_hexdigest

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

BLOCK_FRAMES = 32
"""Frames that have a checksum of their own, so that a crop is compared without the rest of its utterance."""

CHECKSUMS = f"xxh3 of {BLOCK_FRAMES} frames"
"""The entry of a shard's metadata that has the checksums."""


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
    """Make ``directory``, and refuse to start writing ``needed`` bytes under it when so many are not free.

    Raises:
        MeritError: with both numbers.
    """
    directory.mkdir(parents=True, exist_ok=True)
    free = still_free(directory, needed)
    logger.info("%s: %.3f GB to write, %.1f GB free", directory, needed / 1e9, free / 1e9)


def still_free(directory: Path, needed: int) -> int:
    """Free bytes under ``directory``, which are at least ``needed``.

    Raises:
        MeritError: when they are not, with both numbers.
    """
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise MeritError(
            f"{directory}: {needed / 1e9:.3f} GB are needed and {free / 1e9:.3f} GB are free. Free some space, choose "
            "another disk, or train with --feats features, which stores little, or --feats online, which stores nothing"
        )
    return free


def shard_path(directory: Path, shard: int) -> Path:
    """Where a shard of a dump lies."""
    return directory / f"states.{shard:05d}.safetensors"


def checksums(values: Tensor) -> list[str]:
    """XXH3 (64 bits, in hexadecimal) of the bytes of every ``BLOCK_FRAMES`` frames of a contiguous tensor (T, ...)."""
    return [xxh3_64_hexdigest(block.view(torch.uint8).numpy()) for block in values.split(BLOCK_FRAMES)]


def blocks(frames: int) -> int:
    """How many checksums so many frames have."""
    return -(-frames // BLOCK_FRAMES)


def damaged(path: Path, problem: object) -> MeritError:
    """An error that says how to mend a dump of which one file is of no use."""
    header = path.parent / HEADER
    files = path if path == header else f"{path} and {header}"
    return MeritError(
        f"{path}: {problem}; delete {files}, and run the dump again (stage 3): it makes only what is missing"
    )


class Shard:
    """A shard, mapped into memory.

    Attributes:
        path: where it lies.
        header: what was dumped.
        checksums: utterance -> its :func:`checksums`.

    Raises:
        MeritError: when it is missing or damaged, or has no checksums.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._tensors = safe_open(path, framework="pt")
            metadata = self._tensors.metadata() or {}
            self.header: dict[str, Any] = json.loads(metadata["header"])
            self.checksums: dict[str, list[str]] | None = json.loads(metadata.get(CHECKSUMS, "null"))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise damaged(path, f"missing or damaged ({error})") from error
        if self.checksums is None:
            raise MeritError(
                f"{path}: a dump of an earlier version, without checksums; delete {path.parent}, and run the dump "
                "again (stage 3)"
            )

    def frames(self, key: str) -> int:
        """T of an utterance that has checksums."""
        return self._slice(key).get_shape()[0]

    def read(self, key: str, start: int, stop: int) -> Tensor:
        """Some frames of an utterance that has checksums: a view of the mapped file."""
        return self._slice(key)[start:stop]

    def check(self, key: str, first: int, last: int) -> None:
        """Compare the blocks ``first`` to ``last`` - 1 of an utterance with their checksums.

        Raises:
            MeritError: when they differ.
        """
        values = self.read(key, first * BLOCK_FRAMES, min(last * BLOCK_FRAMES, self.frames(key)))
        if checksums(values) != self.checksums[key][first:last]:
            raise damaged(self.path, f"damaged: utterance {key} is not what was written")

    def _slice(self, key: str) -> Any:
        try:
            return self._tensors.get_slice(key)
        except SafetensorError as error:
            raise damaged(self.path, f"damaged: utterance {key} cannot be read ({error})") from error


def differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """The entries of a header that are not as expected, in words; nothing when all are."""
    found = {"content": "states"} | dict(found)  # dumps of earlier versions do not say so
    names = [name for name, value in expected.items() if found.get(name) != value]
    return "; ".join(
        "its audio is not that of wav.scp any more"
        if name == "audio"
        else f"{name} is {found.get(name)} there and {expected[name]} here"
        for name in names
    )


class _Entry(NamedTuple):
    """A line of the index: shard, frames, and how many blocks all utterances before have."""

    shard: int
    frames: int
    blocks_before: int


def _read_header(directory: Path) -> dict[str, Any]:
    path = directory / HEADER
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MeritError(
            f"{directory}: no complete dump ({HEADER} is missing); run the dump (stage 3), which goes on where it "
            "stopped"
        ) from error
    except ValueError as error:
        raise damaged(path, f"damaged ({error})") from error
    if not isinstance(header, dict):
        raise damaged(path, "damaged (no JSON object)")
    return header


def _read_index(directory: Path) -> dict[str, _Entry]:
    path = directory / INDEX
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise damaged(path, "missing") from error
    except ValueError as error:
        raise damaged(path, f"damaged ({error})") from error
    index: dict[str, _Entry] = {}
    blocks_before = 0
    for number, line in enumerate(lines, start=1):
        match = re.fullmatch(r"(\S+)\t(\d+)\t(\d+)", line, re.ASCII)
        if match is None:
            raise damaged(path, f"line {number}: expected 'utterance<TAB>shard<TAB>frames', not {line[:200]!r}")
        if match[1] in index:
            raise damaged(path, f"line {number}: utterance {match[1]} was there before")
        index[match[1]] = _Entry(int(match[2]), int(match[3]), blocks_before)
        blocks_before += blocks(int(match[3]))
    return index


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
        self.header = _read_header(self.directory)
        self.require(expected or {})
        self._index = _read_index(self.directory)
        self.keys = list(self._index)
        self._open: OrderedDict[int, Shard] = OrderedDict()
        # One for each block, shared with the workers of a data loader: what one has checked, the others need not.
        all_blocks = sum(blocks(entry.frames) for entry in self._index.values())
        self._checked = torch.zeros(all_blocks, dtype=torch.bool).share_memory_()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": OrderedDict()}  # every process opens the shards for itself

    def require(self, expected: Mapping[str, Any]) -> None:
        """Refuse a dump whose header has other values for these entries.

        Raises:
            MeritError: when one differs; names all that do.
        """
        if problem := differences(self.header, expected):
            raise MeritError(
                f"{self.directory}: this dump, of encoder {self.header.get('encoder')}, does not fit this run: "
                f"{problem}. Delete the directory and dump again (stage 3), or run with what it was dumped with"
            )

    def _entry(self, key: str) -> _Entry:
        if key not in self._index:
            raise damaged(self.directory / INDEX, f"utterance {key} was not dumped")
        return self._index[key]

    def frames(self, key: str) -> int:
        """T of an utterance."""
        return self._entry(key).frames

    def shard_of(self, key: str) -> int:
        """Number of the shard that an utterance lies in; reading is fast when few shards are read at a time."""
        return self._entry(key).shard

    def read(self, key: str, start: int = 0, stop: int | None = None) -> Tensor:
        """Some frames of one utterance: states (stop - start, L, D) or features (stop - start, C), as they were stored.

        The tensor is a view of the mapped file: only these frames are read, and not before they are used. The first
        time, they are compared with their checksums, with up to ``BLOCK_FRAMES - 1`` frames more at either end.

        Raises:
            MeritError: when the shard is missing or damaged, or the index does not fit it.
        """
        entry = self._entry(key)
        if entry.shard in self._open:
            self._open.move_to_end(entry.shard)
        else:
            self._open[entry.shard] = Shard(shard_path(self.directory, entry.shard))
            if len(self._open) > OPEN_SHARDS:
                self._open.popitem(last=False)
        shard = self._open[entry.shard]
        stop = entry.frames if stop is None else stop
        first, last = start // BLOCK_FRAMES, blocks(stop)
        checked = self._checked[entry.blocks_before + first : entry.blocks_before + last]
        if not checked.all():
            self._require_indexed(key, entry, shard)
            shard.check(key, first, last)
            checked.fill_(True)
        return shard.read(key, start, stop)

    def _require_indexed(self, key: str, entry: _Entry, shard: Shard) -> None:
        index = self.directory / INDEX
        if key not in shard.checksums:
            raise damaged(index, f"utterance {key} is not in {shard.path.name}")
        if (frames := shard.frames(key)) != entry.frames:
            raise damaged(index, f"{entry.frames} frames of utterance {key}, and {shard.path.name} has {frames}")
