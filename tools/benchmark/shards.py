"""Reading dumped states for training: safetensors shards against Kaldi archives.

States as WavLM Large's (25 of 1024 values, a frame every 20 ms) of utterances of 2.75 to 11 s are stored as a dump
stores them and as a float32 ark, Kaldi's type for matrices. One process reads each utterance and goes through all its
values once. Besides, it reads batches of similar length into padded batches, in the type that is stored: into memory
that is there already, and into new memory, as training's collate does. What a run compares with checksums the first
time it reads a dump is a row of its own; the files on disk are read with it.
"""

import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from measure import chosen_device, report, seconds
from torch import Tensor

from merit.data.audio import kaldiio
from merit.data.states.shard_reader import ShardReader
from merit.data.states.shard_writer import ShardWriter
from merit.systems.sparse_merit.phases.batch import Batch, collate

FRAMES_PER_SECOND = 50
STATES, CHANNELS, FEATURES = 25, 1024, 512
AUDIO_SECONDS = 200
BATCH_SIZE = 8
COLD_ROUNDS = 3


def make(directory: Path) -> dict[str, int]:
    """Write the same states as a dump and as an ark, and features as a dump; the frames of each utterance."""
    lengths = np.clip(np.random.default_rng(0).gamma(4.0, 1.45, size=200), 2.75, 11.0)
    lengths = lengths[: int(np.searchsorted(np.cumsum(lengths), AUDIO_SECONDS)) + 1]
    frames = {f"u{i:03d}": int(length * FRAMES_PER_SECOND) for i, length in enumerate(lengths)}
    generator = torch.Generator().manual_seed(0)
    with (
        ShardWriter(directory / "states", {"content": "states"}) as states,
        ShardWriter(directory / "features", {"content": "features"}) as features,
        kaldiio.WriteHelper(f"ark,scp:{directory / 'states.ark'},{directory / 'states.scp'}") as ark,
    ):
        for key, count in frames.items():
            value = torch.randn(count, STATES, CHANNELS, generator=generator).bfloat16()
            states.write(key, value)
            features.write(key, value.flatten(1)[:, :FEATURES].clone())
            ark[key] = value.flatten(1).float().numpy()
    os.sync()  # else the system writes them while they are read
    return frames


def touch(read: Callable[[str], Tensor], frames: Mapping[str, int]) -> None:
    """Read everything, and go through all of it once: the quickest pass that torch has over any bits."""
    for key in frames:
        read(key).view(torch.int64).amax()


def batches(frames: Mapping[str, int]) -> list[list[str]]:
    """All utterances in batches of similar length."""
    keys = sorted(frames, key=frames.__getitem__, reverse=True)
    return [keys[start : start + BATCH_SIZE] for start in range(0, len(keys), BATCH_SIZE)]


def fill(read: Callable[[str], Tensor], frames: Mapping[str, int], buffer: Tensor) -> None:
    """Read everything once into padded batches (B, T, ...) in the memory of ``buffer``."""
    for keys in batches(frames):
        for place, key in enumerate(keys):
            values = read(key)
            buffer[place, : len(values)] = values
            buffer[place, len(values) : frames[keys[0]]] = 0


def join(read: Callable[[str], Tensor], frames: Mapping[str, int]) -> None:
    """Read everything once into new padded batches."""
    for keys in batches(frames):
        collate([Batch([key], torch.tensor([frames[key]]), states=read(key)[None]) for key in keys])


def forget(directory: Path) -> None:
    """Drop the files from the page cache."""
    for path in directory.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    device = chosen_device(__doc__)
    torch.set_num_threads(1)  # as in a worker of a data loader
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")  # kaldiio's; nothing writes
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        frames = make(directory)
        audio = sum(frames.values()) / FRAMES_PER_SECOND
        scp = dict(line.split(maxsplit=1) for line in (directory / "states.scp").read_text().splitlines())

        def kaldi(key: str) -> Tensor:
            return torch.from_numpy(kaldiio.load_mat(scp[key])).unflatten(1, (STATES, CHANNELS))

        def shards(content: str = "states") -> Callable[[str], Tensor]:
            return ShardReader(directory / content).read

        readers = {"shards": shards(), "ark": kaldi, "features": shards("features")}
        buffers = {}
        for name, read in readers.items():
            example = read(next(iter(frames)))
            buffers[name] = example.new_zeros(BATCH_SIZE, max(frames.values()), *example.shape[1:])

        def check() -> None:
            read = shards()
            for key in frames:
                read(key)

        checked = seconds({"shards": check}, device)
        touched = seconds({name: partial(touch, read, frames) for name, read in readers.items()}, device)
        filled = seconds({name: partial(fill, read, frames, buffers[name]) for name, read in readers.items()}, device)
        joined = seconds({name: partial(join, read, frames) for name, read in readers.items()}, device)
        report("states read against kaldiio ark, files in memory", touched["ark"] / touched["shards"], "x", at_least=8)
        report("the same into padded batches", filled["ark"] / filled["shards"], "x")
        report("the same into new padded batches", joined["ark"] / joined["shards"], "x")
        for name in readers:
            report(f"{name} read, files in memory", audio / touched[name], "audio-s/s")
            report(f"{name} read into padded batches", audio / filled[name], "audio-s/s")
            report(f"{name} read into new padded batches", audio / joined[name], "audio-s/s")
        report("shards compared with their checksums, once a run", audio / checked["shards"], "audio-s/s")
        readers.clear()  # pages that are mapped stay in memory

        cold: dict[str, list[float]] = {"shards": [], "ark": []}
        for _ in range(COLD_ROUNDS if hasattr(os, "posix_fadvise") else 0):
            for name, taken in cold.items():
                forget(directory)
                start = time.perf_counter()
                touch(shards() if name == "shards" else kaldi, frames)
                taken.append(time.perf_counter() - start)
        medians = {name: statistics.median(taken) for name, taken in cold.items() if taken}
        ratio = medians["ark"] / medians["shards"] if medians else None
        report("states read against kaldiio ark, files on disk", ratio, "x")
        for name in cold:
            report(f"{name} read, files on disk", audio / medians[name] if medians else None, "audio-s/s")


if __name__ == "__main__":
    main()
