"""Reading the shards of :mod:`merit.data.states.shard`: some frames of an utterance, compared with their checksums."""

import json
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from merit.data.states.shard import BLOCK_FRAMES, HEADER, INDEX, Shard, blocks, damaged, differences, shard_path
from merit.errors import MeritError

OPEN_SHARDS = 8
"""Shards a reader keeps open; the batch sampler draws from a few at a time."""


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

    def __init__(self, directory: Path, expected: Mapping[str, Any] | None = None) -> None:
        self.directory = directory
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

    def require_utterances(self, directory: Path, keys: Sequence[str]) -> None:
        """Refuse a dump that lacks some of the utterances ``keys`` of a data directory.

        Raises:
            MeritError: counts them and names the first.
        """
        missing = sorted(set(keys) - set(self.keys))
        if missing:
            raise MeritError(
                f"{directory}: {len(missing)} utterances have no dumped {self.header.get('content', 'states')}, "
                f"{missing[0]} is the first; delete {self.directory / HEADER}, and run the dump again (stage 3)"
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
