"""Batches: every utterance once, the same for the same seed, of similar length, split evenly among processes."""

import numpy as np

from merit.data.batching import EpochSampler, length_grouped_batches

# Lengths like MSP-Podcast's: 2.75 to 11 s, mean about 5.8 s.
LENGTHS = np.clip(np.random.default_rng(0).gamma(4.0, 1.45, 5000), 2.75, 11).tolist()


def useful_share(batches, lengths):
    return sum(lengths) / sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)


def test_every_utterance_once_and_reproducibly():
    batches = length_grouped_batches(LENGTHS, 32, seed=1)
    assert sorted(i for batch in batches for i in batch) == list(range(5000))
    assert batches == length_grouped_batches(LENGTHS, 32, seed=1)
    assert batches != length_grouped_batches(LENGTHS, 32, seed=2)


def test_little_padding():
    assert useful_share(length_grouped_batches(LENGTHS, 32, seed=1), LENGTHS) > 0.95
    order = np.random.default_rng(1).permutation(5000)
    shuffled = [order[start : start + 32].tolist() for start in range(0, 5000, 32)]
    assert useful_share(shuffled, LENGTHS) < 0.65


def test_few_shards_are_open_at_a_time():
    shards = [i // 250 for i in range(5000)]
    batches = length_grouped_batches(LENGTHS, 32, seed=1, shards=shards, pool_shards=4)
    assert sorted(i for batch in batches for i in batch) == list(range(5000))
    used = [{shards[i] for i in batch} for batch in batches]
    last = {shard: max(b for b, found in enumerate(used) if shard in found) for shard in set(shards)}
    first = {shard: min(b for b, found in enumerate(used) if shard in found) for shard in set(shards)}
    assert max(sum(first[s] <= b <= last[s] for s in first) for b in range(len(used))) <= 4


def test_epochs_differ_and_a_run_goes_on_at_a_step():
    sampler = EpochSampler(LENGTHS[:100], 8, seed=5)
    sampler.start_at(epoch=0, step=0)
    first = list(sampler)
    sampler.start_at(epoch=1, step=0)
    second = list(sampler)
    assert [i for batch in first for i, _ in batch] != [i for batch in second for i, _ in batch]
    assert {epoch for batch in second for _, epoch in batch} == {1}
    sampler.start_at(epoch=1, step=4)
    assert list(sampler) == second[4:]


def test_processes_share_each_batch():
    whole = EpochSampler(LENGTHS[:101], 8, seed=5)
    ranks = [EpochSampler(LENGTHS[:101], 8, seed=5, rank=rank, world_size=2) for rank in range(2)]
    shares = [list(sampler) for sampler in ranks]
    assert len(shares[0]) == len(shares[1])
    for batch, one, two in zip([b for b in whole if len(b) > 1], *shares):
        assert sorted(one + two) == sorted(batch)


def test_evaluation_sees_every_utterance_whatever_the_number_of_processes():
    ranks = [EpochSampler(LENGTHS[:33], 8, shuffle=False, rank=rank, world_size=4) for rank in range(4)]
    assert sorted(i for sampler in ranks for batch in sampler for i, _ in batch) == list(range(33))
