"""What an encoder made of a data directory, on disk: 16-bit safetensors shards of about 1 GB, an index and a header.

The content is the hidden states of all layers, or the features that the convolutional front end gives the transformer.
:mod:`merit.data.states.shard_writer` writes it, :mod:`merit.data.states.shard_reader` reads it. A directory holds

``states.00000.safetensors`` ...
    utterance -> states (T, L, D) or features (T, C); the metadata of every shard repeats the header, so a shard says
    what it is, and has checksums of each utterance, one for every 32 frames. Numbers may be missing.
``index.tsv``
    ``utterance<TAB>shard<TAB>frames`` lines, sorted by utterance.
``header.json``
    what this is: content, encoder, its fingerprint, definition of the states, normalisation, audio. Written last, so a
    directory with a header is complete.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from xxhash import xxh3_64_hexdigest

from merit.errors import MeritError

StateType = Literal["bfloat16", "float16"]
"""Types that a dump may be stored in."""

Content = Literal["states", "features"]
"""What is dumped: the states (T, L, D), or what the front end gives the transformer (T, C), from which they follow."""

HEADER = "header.json"
INDEX = "index.tsv"

BLOCK_FRAMES = 32
"""Frames that have a checksum of their own, so that a crop is compared without the rest of its utterance."""

CHECKSUMS = f"xxh3 of {BLOCK_FRAMES} frames"
"""The entry of a shard's metadata that has the checksums."""


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
