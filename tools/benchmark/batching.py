"""Useful frames of batches: grouped by length, by count and by audio, against shuffled; with and without state shards.

The figure is the share of the frames of padded batches that hold speech. The lengths are like those of MSP-Podcast: a
gamma distribution cut off at 2.75 and 11 s, 5.8 s on average. Nothing is timed, and the device makes no difference.
"""

import random
from collections.abc import Sequence

import measure
import numpy as np

from merit.data.batching import EpochSampler, seconds_batches
from merit.time_grid import SAMPLE_RATE

UTTERANCES = 20_000
BATCH = 32
BATCH_SECONDS = 186.0
"""As much as 32 utterances of mean length."""
DUMP_SECONDS = 120.0
"""Default of the dump."""
SHARD_SECONDS = 390.0
"""Audio whose 25 states of WavLM Large, in 16 bits, fill a shard of 1 GB."""


def main() -> None:
    """Print the rows."""
    measure.chosen_device(__doc__)
    samples = made_lengths()
    order = list(range(len(samples)))
    random.Random(1).shuffle(order)
    shuffled = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    shards = dumped_shards(samples)

    count, audio = f"batches of {BATCH}", f"batches of {BATCH_SECONDS:g} s"
    row(f"{count}, shuffled", shuffled, samples)
    row(f"{count}, by length", EpochSampler(samples, BATCH).batches, samples, at_least=95)
    row(f"{audio}, by length", EpochSampler(samples, None, batch_seconds=BATCH_SECONDS).batches, samples, at_least=95)
    row(f"{count}, by length, from state shards", EpochSampler(samples, BATCH, shards=shards).batches, samples)
    sampler = EpochSampler(samples, None, shards=shards, batch_seconds=BATCH_SECONDS)
    row(f"{audio}, by length, from state shards", sampler.batches, samples)
    names = {str(index): length for index, length in enumerate(samples)}
    dumped = [[int(name) for name in batch] for batch in seconds_batches(names, DUMP_SECONDS)]
    row(f"batches of {DUMP_SECONDS:g} s, of the dump", dumped, samples)


def made_lengths() -> list[int]:
    """Samples of the utterances, always the same."""
    seconds = np.random.default_rng(0).gamma(4.0, 1.4, 2 * UTTERANCES)
    kept = seconds[(seconds >= 2.75) & (seconds <= 11)][:UTTERANCES]
    return [round(SAMPLE_RATE * length) for length in kept]


def dumped_shards(samples: Sequence[int]) -> list[int]:
    """The shard of each utterance when they are dumped."""
    names = {str(index): length for index, length in enumerate(samples)}
    shards = [0] * len(samples)
    written = 0
    for batch in seconds_batches(names, DUMP_SECONDS):
        for name in batch:
            shards[int(name)] = int(written // (SHARD_SECONDS * SAMPLE_RATE))
            written += names[name]
    return shards


def row(name: str, batches: Sequence[Sequence[int]], samples: Sequence[int], at_least: float | None = None) -> None:
    """Print the share of useful frames of ``batches`` of indices into ``samples``."""
    computed = sum(len(batch) * max(samples[index] for index in batch) for batch in batches)
    useful = sum(samples[index] for batch in batches for index in batch)
    measure.report(f"useful frames, {name}", 100 * useful / computed, "%", at_least=at_least)


if __name__ == "__main__":
    main()
