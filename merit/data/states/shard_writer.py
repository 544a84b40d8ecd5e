"""Writing the shards of :mod:`merit.data.states.shard`, beside the computation of what comes next."""

import json
import re
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from torch import Tensor

from merit.data.states.disk_space import still_free
from merit.data.states.shard import CHECKSUMS, HEADER, INDEX, Shard, checksums, differences, shard_path
from merit.data.tensors import save_tensors
from merit.errors import MeritError
from merit.files import write_text

SHARD_BYTES = 10**9


class ShardStream:
    """Writes the shards of one process: a thread writes one shard while the next one is collected.

    Two shards are in memory at most: one that is being written, one that is being collected. Use it as a context
    manager: leaving it, also by an exception, writes what was collected.

    Args:
        directory: directory of the dump.
        header: repeated in every shard.
        numbers: of the shards; no other process may use them.
        shard_bytes: size of a shard.

    Raises:
        MeritError: when a shard does not fit on the disk, or at the latest with the next one when it could not be
            written.
    """

    def __init__(
        self, directory: Path, header: Mapping[str, Any], numbers: Iterable[int], shard_bytes: int = SHARD_BYTES
    ) -> None:
        self.directory = directory
        self.metadata = {"header": json.dumps(dict(header))}
        self.numbers = iter(numbers)
        self.shard_bytes = shard_bytes
        self._collected: dict[str, Tensor] = {}
        self._collected_bytes = 0
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._writing: Future | None = None

    def write(self, key: str, values: Tensor) -> None:
        """Add the states (T, L, D) or features (T, C) of one utterance, in the 16-bit type they are to be stored in.

        They are written later; do not change them any more.
        """
        self._collected[key] = values.cpu().contiguous()
        self._collected_bytes += values.nbytes
        if self._collected_bytes >= self.shard_bytes:
            self._hand_over()

    def _hand_over(self) -> None:
        """Give what was collected to the thread, as soon as the shard before is written."""
        self._wait()
        still_free(self.directory, self._collected_bytes)  # others may have filled the disk since the dump began
        path = shard_path(self.directory, next(self.numbers))
        self._writing = self._thread.submit(self._save, self._collected, path)
        self._collected, self._collected_bytes = {}, 0

    def _save(self, values: Mapping[str, Tensor], path: Path) -> None:
        sums = {key: checksums(value) for key, value in values.items()}
        save_tensors(values, path, self.metadata | {CHECKSUMS: json.dumps(sums)})

    def _wait(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def flush(self) -> None:
        """Write what was collected as a shard of its own, and wait until everything is on disk."""
        if self._collected:
            self._hand_over()
        self._wait()

    def __enter__(self) -> "ShardStream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()


class ShardWriter:
    """Makes the dump of a data directory; what was there from an interrupted one is kept.

    Use it as a context manager: leaving it normally completes the directory, leaving it by an exception keeps what was
    written so far for the next time. It writes what it is given itself, or other processes write, each by a
    :class:`ShardStream` with numbers from :meth:`numbers`.

    Args:
        directory: directory of the dump.
        header: JSON values that say what is dumped. All but ``encoder``, the name the encoder was loaded by, must be
            equal for a dump to be continued.
        shard_bytes: size of a shard.

    Attributes:
        frames: utterance -> frames, of all utterances that were on disk at the start or at the last :meth:`flush`.

    Raises:
        MeritError: when the directory holds another dump, or the disk is full.
    """

    def __init__(self, directory: Path, header: Mapping[str, Any], shard_bytes: int = SHARD_BYTES) -> None:
        self.directory = directory
        self.header = dict(header)
        self.frames: dict[str, int] = {}
        self._shard_of: dict[str, int] = {}
        self.directory.mkdir(parents=True, exist_ok=True)
        for left_behind in self.directory.glob(".states.*.tmp.safetensors"):  # of a dump that was killed
            left_behind.unlink()
        self._take_up()
        self._stream = ShardStream(self.directory, self.header, self.numbers(), shard_bytes)

    def _take_up(self) -> None:
        """Take in the shards that are on disk and not known yet."""
        known = set(self._shard_of.values())
        for path in self.directory.glob("states.*.safetensors"):
            shard = int(re.fullmatch(r"states\.(\d+)\.safetensors", path.name)[1])
            if shard in known:
                continue
            found = Shard(path)
            self._require_same(found.header)
            for key in found.checksums:
                self.frames[key] = found.frames(key)
                self._shard_of[key] = shard

    def _require_same(self, found: Mapping[str, Any]) -> None:
        expected = {name: value for name, value in self.header.items() if name != "encoder"}
        if problem := differences(found, expected):
            raise MeritError(
                f"{self.directory}: holds another dump (of encoder {found.get('encoder')}): {problem}. "
                "Delete the directory to dump this anew, or give another --output"
            )

    @property
    def bytes_on_disk(self) -> int:
        """Size of the shards."""
        return sum(path.stat().st_size for path in self.directory.glob("states.*.safetensors"))

    def numbers(self, process: int = 0, processes: int = 1) -> range:
        """Unused shard numbers for one of several processes that write at the same time."""
        return range(max(self._shard_of.values(), default=-1) + 1 + process, sys.maxsize, processes)

    def reopen(self) -> None:
        """Make the directory incomplete, before shards are added that its index lacks."""
        (self.directory / HEADER).unlink(missing_ok=True)

    def write(self, key: str, values: Tensor) -> None:
        """Add one utterance, see :meth:`ShardStream.write`."""
        self.reopen()
        self._stream.write(key, values)

    def flush(self) -> None:
        """Wait until what was added is on disk."""
        self._stream.flush()
        self._take_up()

    def complete(self) -> None:
        """Write what is left, the index of all that is on disk and, last, the header."""
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
            self._stream.flush()
