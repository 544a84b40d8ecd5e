"""Which utterances form a batch: reproducible, grouped by length, split among processes."""

import random
from collections.abc import Iterator, Sequence


def length_grouped_batches(
    lengths: Sequence[int],
    batch_size: int,
    seed: int,
    shards: Sequence[int] | None = None,
    pool_batches: int = 50,
    pool_shards: int = 4,
) -> list[list[int]]:
    """All utterances once, in random batches of similar length.

    The utterances are shuffled, cut into pools of ``pool_batches`` batches, sorted by length inside a pool, cut into
    batches, and the batches of a pool shuffled. With ``shards`` (the file each utterance's states lie in) a pool is
    made of ``pool_shards`` whole shards in random order, so that a few files are open at a time and read once.

    Args:
        lengths: length of each utterance, in any unit.
        batch_size: utterances in a batch; the last of a pool may have fewer.
        seed: the same seed gives the same batches on every machine.

    Returns:
        batches of indices into ``lengths``; inside a batch the longest comes first.
    """
    generator = random.Random(seed)
    order = list(range(len(lengths)))
    generator.shuffle(order)
    if shards is None:
        step = batch_size * pool_batches
        pools = [order[start : start + step] for start in range(0, len(order), step)]
    else:
        names = sorted(set(shards))
        generator.shuffle(names)
        group = {name: place // pool_shards for place, name in enumerate(names)}
        pools = [[] for _ in range(-(-len(names) // pool_shards))]
        for index in order:
            pools[group[shards[index]]].append(index)
    batches = []
    for pool in pools:
        pool.sort(key=lambda index: -lengths[index])
        cut = [pool[start : start + batch_size] for start in range(0, len(pool), batch_size)]
        generator.shuffle(cut)
        batches += cut
    return batches


class EpochSampler:
    """Batch sampler of a training run: the batches of one epoch, from one step on, for one process.

    It yields ``(index, epoch)`` pairs, so that a dataset's worker knows the epoch without being started anew.

    Args:
        lengths, batch_size, seed, shards: see :func:`length_grouped_batches`.
        shuffle: False keeps one order for all epochs, sorted by length (evaluation). When it is True, a batch with
            fewer utterances than processes waits for another epoch, so that all processes make the same steps.
        rank, world_size: the process and their number; each gets every ``world_size``-th utterance of every batch.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch_size: int,
        seed: int = 0,
        shards: Sequence[int] | None = None,
        shuffle: bool = True,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.shards = shards
        self.shuffle = shuffle
        self.rank = rank
        self.world_size = world_size
        self.start_at(epoch=0, step=0)

    def start_at(self, epoch: int, step: int) -> None:
        """Choose the epoch, and the batch of it, that the next iteration begins with."""
        self.epoch = epoch
        if self.shuffle:
            # Far apart, so that epoch 1 of seed 7 is not epoch 0 of seed 8.
            batches = length_grouped_batches(self.lengths, self.batch_size, self.seed * 1_000_003 + epoch, self.shards)
            batches = [batch for batch in batches if len(batch) >= self.world_size]
        else:
            order = sorted(range(len(self.lengths)), key=lambda index: -self.lengths[index])
            batches = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        self.batches = batches[step:]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for batch in self.batches:
            share = batch[self.rank :: self.world_size]
            if share:
                yield [(index, self.epoch) for index in share]
