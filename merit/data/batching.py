"""Which utterances form a batch: reproducible, grouped by length, split among processes."""

import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from merit.time_grid import SAMPLE_RATE

logger = logging.getLogger(__name__)

POOL_BATCHES = 50
"""Batches are grouped by length inside random pools of about so many, so that all lengths come throughout a run."""


def cut(lengths: Sequence[float], size: int | None = None, total: float | None = None) -> list[slice]:
    """Cut a list of utterances into batches, without changing its order.

    Args:
        lengths: length of each utterance; sorted by falling length they give batches with little padding.
        size: utterances in a batch, when ``total`` is None; the last batch may have fewer.
        total: largest padded length of a batch (its longest utterance times their number), in the unit of
            ``lengths``. A longer utterance is a batch of its own.

    Returns:
        the slice of the list that makes each batch.
    """
    if total is None:
        return [slice(start, start + size) for start in range(0, len(lengths), size)]
    starts = []
    longest = 0.0
    for place, length in enumerate(lengths):
        longest = max(longest, length)
        if not starts or longest * (place + 1 - starts[-1]) > total:
            starts.append(place)
            longest = length
    return [slice(start, end) for start, end in zip(starts, [*starts[1:], len(lengths)])]


def length_batches(seconds: Mapping[str, float], batch_seconds: float) -> list[list[str]]:
    """Utterances in batches of similar length, the longest first; padded, a batch has up to ``batch_seconds``.

    An utterance longer than that is a batch of its own. The first batches need the most memory.
    """
    order = sorted(seconds, key=lambda utterance: (-seconds[utterance], utterance))
    return [order[batch] for batch in cut([seconds[utterance] for utterance in order], total=batch_seconds)]


def seconds_batches(
    samples: Mapping[str, int], batch_seconds: float, pool_batches: int = POOL_BATCHES
) -> list[list[str]]:
    """Utterances in batches of similar length, each up to ``batch_seconds`` long when padded, or one utterance.

    Random pools, always the same, of about ``pool_batches`` batches follow one another; inside a pool the longest
    utterances come first.

    Args:
        samples: samples of each utterance at 16 kHz.
        batch_seconds: padded audio of a batch.
        pool_batches: batches that are grouped by length together.
    """
    order = sorted(samples)
    random.Random(0).shuffle(order)
    lengths = [samples[utterance] for utterance in order]
    batches = []
    for pool in _pools(lengths, None, batch_seconds * SAMPLE_RATE, pool_batches):
        found = sorted(order[pool], key=samples.__getitem__, reverse=True)
        slices = cut([samples[utterance] for utterance in found], total=batch_seconds * SAMPLE_RATE)
        batches += [found[batch] for batch in slices]
    return batches


def _pools(lengths: Sequence[float], size: int | None, total: float | None, batches: int) -> list[slice]:
    """Cut shuffled utterances into pools that give about so many batches each; ``size`` and ``total`` as in ``cut``."""
    if total is not None:
        size = total * len(lengths) / max(1, sum(lengths))
    return cut(lengths, max(1, round(batches * size)))


def length_grouped_batches(
    lengths: Sequence[float],
    batch_size: int | None,
    seed: int,
    shards: Sequence[int] | None = None,
    pool_batches: int = POOL_BATCHES,
    pool_shards: int = 8,
    total: float | None = None,
) -> list[list[int]]:
    """All utterances once, in random batches of similar length.

    The utterances are shuffled, cut into pools of ``pool_batches`` batches, sorted by length inside a pool, cut into
    batches, and the batches of a pool shuffled. With ``shards`` (the file each utterance's states lie in) a pool is
    made of ``pool_shards`` whole shards in random order, so that a few files are open at a time and read once.

    Args:
        lengths: length of each utterance, in any unit.
        batch_size: utterances in a batch, when ``total`` is None; the last of a pool may have fewer.
        seed: the same seed gives the same batches on every machine.
        shards: the shard of each utterance, or None.
        pool_batches, pool_shards: size of a pool without and with shards.
        total: padded length of a batch, see :func:`cut`.

    Returns:
        batches of indices into ``lengths``; inside a batch the longest comes first.
    """
    generator = random.Random(seed)
    order = list(range(len(lengths)))
    generator.shuffle(order)
    if shards is None:
        pools = [order[pool] for pool in _pools(lengths, batch_size, total, pool_batches)]
    else:
        names = sorted(set(shards))
        generator.shuffle(names)
        group = {name: place // pool_shards for place, name in enumerate(names)}
        pools = [[] for _ in range(-(-len(names) // pool_shards))]
        for index in order:
            pools[group[shards[index]]].append(index)
    batches = []
    for pool in pools:
        found = _sorted_batches(pool, lengths, batch_size, total)
        generator.shuffle(found)
        batches += found
    return batches


def _sorted_batches(
    order: Sequence[int], lengths: Sequence[float], size: int | None, total: float | None
) -> list[list[int]]:
    """Batches of the utterances ``order``, the longest first; ``size`` and ``total`` as in ``cut``."""
    order = sorted(order, key=lambda index: -lengths[index])
    return [order[batch] for batch in cut([lengths[index] for index in order], size, total)]


def grouped_batches(groups: Sequence[int], batches_of: Callable[[int, list[int]], list[list[int]]]) -> list[list[int]]:
    """Batches that hold utterances of one group each and take turns, each group spread over the whole list.

    Groups that make as many batches alternate one by one; of a group with half as many comes every third batch.

    Args:
        groups: of each utterance.
        batches_of: takes the place of a group among them and the indices of its utterances; gives its batches.
    """
    places = []
    for number, group in enumerate(sorted(set(groups))):
        batches = batches_of(number, [index for index, of in enumerate(groups) if of == group])
        places += [((place + 0.5) / len(batches), number, batch) for place, batch in enumerate(batches)]
    return [batch for *_, batch in sorted(places, key=lambda placed: placed[:2])]


class EpochSampler:
    """Batch sampler of a training run: the batches of one epoch, from one step on, for one process.

    It yields ``(index, epoch)`` pairs, so that a dataset's worker knows the epoch without being started anew.

    Args:
        lengths: samples of each utterance at 16 kHz.
        batch_size, seed, shards: see :func:`length_grouped_batches`.
        shuffle: False keeps one order for all epochs, sorted by length (evaluation). When it is True, a batch with
            fewer utterances than processes waits for another epoch, so that all processes make the same steps.
        rank, world_size: the process and their number; each gets every ``world_size``-th utterance of every batch.
        batch_seconds: padded audio of a batch of all processes, in place of ``batch_size``; an utterance longer than
            that is a batch of its own.
        groups: of each utterance; a batch has utterances of one of them (:func:`grouped_batches`). None mixes all.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch_size: int | None,
        seed: int = 0,
        shards: Sequence[int] | None = None,
        shuffle: bool = True,
        rank: int = 0,
        world_size: int = 1,
        batch_seconds: float | None = None,
        groups: Sequence[int] | None = None,
    ) -> None:
        self.lengths = lengths
        self.groups = [0] * len(lengths) if groups is None else groups
        self.batch_size = batch_size
        self.total = None if batch_seconds is None else batch_seconds * SAMPLE_RATE
        self.seed = seed
        self.shards = shards
        self.shuffle = shuffle
        self.rank = rank
        self.world_size = world_size
        if shuffle and self.total is not None and world_size > 1 and rank == 0:
            alone = sum(world_size * length > self.total for length in lengths)
            if alone:
                logger.warning(
                    "%d utterances are too long to share a batch of %g s with %d processes, and are not trained on; "
                    "give a larger batch_seconds, at least %.1f",
                    *(alone, batch_seconds, world_size, world_size * max(lengths) / SAMPLE_RATE),
                )
        self.start_at(epoch=0, step=0)

    def start_at(self, epoch: int, step: int) -> None:
        """Choose the epoch, and the batch of it, that the next iteration begins with."""
        self.epoch = epoch
        batches = grouped_batches(self.groups, lambda number, found: self._batches(epoch, number, found))
        self.batches = batches[step:]

    def _batches(self, epoch: int, group: int, found: list[int]) -> list[list[int]]:
        """The batches of the utterances ``found``, those of one group."""
        if not self.shuffle:
            return _sorted_batches(found, self.lengths, self.batch_size, self.total)
        # Far apart, so that epoch 1 of seed 7 is not epoch 0 of seed 8.
        seed = self.seed * 1_000_003 + epoch + group * 1_000_000_007
        lengths = [self.lengths[index] for index in found]
        shards = None if self.shards is None else [self.shards[index] for index in found]
        batches = length_grouped_batches(lengths, self.batch_size, seed, shards, total=self.total)
        return [[found[place] for place in batch] for batch in batches if len(batch) >= self.world_size]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for batch in self.batches:
            share = batch[self.rank :: self.world_size]
            if share:
                yield [(index, self.epoch) for index in share]


class CollateMicroBatches:
    """Collate function: the utterances of one optimiser step as micro-batches that fit the memory.

    Args:
        collate: joins items, batches of one utterance with their ``lengths``, to a padded batch.
        size: utterances computed at once, when ``seconds`` is None.
        seconds: padded audio computed at once; a longer utterance is a micro-batch of its own.
        within: no micro-batch lies across a multiple of so many utterances; None for anywhere.
    """

    def __init__(
        self,
        collate: Callable[[Sequence[Any]], Any],
        size: int,
        seconds: float | None = None,
        within: int | None = None,
    ) -> None:
        self.collate = collate
        self.size = size
        self.total = None if seconds is None else seconds * SAMPLE_RATE
        self.within = within

    def __call__(self, items: Sequence[Any]) -> list[Any]:
        lengths = [int(item.lengths) for item in items]
        batches = []
        for stretch in cut(lengths, self.within or len(items)):
            batches += [items[stretch][micro] for micro in cut(lengths[stretch], self.size, self.total)]
        return [self.collate(batch) for batch in batches]
