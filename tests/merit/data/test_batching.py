"""Batches: every utterance once, the same for the same seed, of similar length, split evenly among processes."""

import logging

import numpy as np
import pytest
import torch

from merit.data.batching import (
    CollateMicroBatches,
    EpochSampler,
    cut,
    length_batches,
    length_grouped_batches,
    seconds_batches,
)
from merit.systems.sparse_merit.phases.batch import Batch, collate

# Lengths like MSP-Podcast's: 2.75 to 11 s, mean about 5.8 s.
LENGTHS = np.clip(np.random.default_rng(0).gamma(4.0, 1.45, 5000), 2.75, 11).tolist()
SAMPLES = [round(16000 * length) for length in LENGTHS]
FEW = [8000, 13920, 19840, 9600, 15520, 21440, 11200, 17120, 23040, 12800, 18720, 8480, 14400, 8000, 8000]
"""Samples of fifteen utterances, some of the same length."""


def padded(batches, lengths):
    return [len(batch) * max(lengths[i] for i in batch) for batch in batches]


def useful_share(batches, lengths):
    return sum(lengths) / sum(padded(batches, lengths))


def test_every_utterance_once_and_reproducibly():
    batches = length_grouped_batches(LENGTHS, 32, seed=1)
    assert sorted(i for batch in batches for i in batch) == list(range(5000))
    assert batches == length_grouped_batches(LENGTHS, 32, seed=1)
    assert batches != length_grouped_batches(LENGTHS, 32, seed=2)


def test_batches_of_a_seed_stay_what_they_were():
    """A run that was stopped goes on with the batches it began with, also under a newer version."""
    assert length_grouped_batches(FEW, 4, seed=3, pool_batches=2) == [
        *([6, 11, 14, 0], [10, 4, 12, 1], [8, 5, 2, 7], [9, 3, 13])
    ]
    assert length_grouped_batches(FEW, 4, seed=3, shards=[i // 4 for i in range(15)], pool_shards=2) == [
        *([2, 12, 1, 3], [14, 0, 13], [8, 5, 10, 7], [4, 9, 6, 11])
    ]
    sampler = EpochSampler(FEW, 4, seed=7)
    sampler.start_at(epoch=2, step=1)
    assert [[i for i, _ in batch] for batch in sampler] == [[7, 4, 12, 1], [8, 5, 2, 10], [13, 0, 14]]
    evaluation = EpochSampler(FEW, 4, shuffle=False)
    assert [[i for i, _ in batch] for batch in evaluation] == [
        *([8, 5, 2, 10], [7, 4, 12, 1], [9, 6, 3, 11], [0, 13, 14])
    ]


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


@pytest.mark.parametrize("shards", [None, [i // 250 for i in range(5000)]])
def test_batches_by_audio_are_full_and_have_little_padding(shards):
    total = 180 * 16000
    batches = length_grouped_batches(SAMPLES, None, seed=1, shards=shards, total=total)
    assert sorted(i for batch in batches for i in batch) == list(range(5000))
    assert batches == length_grouped_batches(SAMPLES, None, seed=1, shards=shards, total=total)
    audio = padded(batches, SAMPLES)
    assert max(audio) <= total
    assert np.median(audio) > 0.95 * total
    assert useful_share(batches, SAMPLES) > 0.95


def test_cutting_by_audio_takes_what_fits_and_long_utterances_alone():
    lengths = [9, 6, 3, 3, 2.5, 1]
    assert [lengths[part] for part in cut(lengths, total=6)] == [[9], [6], [3, 3], [2.5, 1]]
    assert [lengths[part] for part in cut(lengths, 4)] == [[9, 6, 3, 3], [2.5, 1]]
    assert cut([], 4) == cut([], total=6) == []
    # Without order, the longest so far counts and not the first.
    assert cut([1, 3, 1], total=6) == [slice(0, 2), slice(2, 3)]


def test_batches_are_of_similar_length_and_fit():
    seconds = {"a": 1.0, "b": 9.0, "c": 3.0, "d": 2.5, "e": 1.0, "f": 0.5}
    assert length_batches(seconds, 6.0) == [["b"], ["c", "d"], ["a", "e", "f"]]
    assert length_batches({}, 6.0) == []


def test_pooled_batches_fit_and_mix_lengths():
    samples = {f"utt{i:04}": length for i, length in enumerate(SAMPLES)}
    batches = seconds_batches(samples, 60.0)
    assert sorted(name for batch in batches for name in batch) == sorted(samples)
    assert batches == seconds_batches(dict(reversed(samples.items())), 60.0)
    assert max(padded(batches, samples)) <= 60 * 16000
    assert sum(SAMPLES) / sum(padded(batches, samples)) > 0.95
    # Each tenth of the run has short and long utterances.
    step = len(batches) // 10
    for start in range(0, 10 * step, step):
        found = [samples[batch[0]] for batch in batches[start : start + step]]
        assert min(found) < 3.5 * 16000 and max(found) > 9 * 16000
    assert seconds_batches({}, 60.0) == []
    few = {f"u{i:02}": length for i, length in enumerate(FEW)}
    expected = "08|05|02|10|07|04 12|01 09|06 03|11 00 14|13"
    assert seconds_batches(few, 2.0) == [[f"u{i}" for i in batch.split()] for batch in expected.split("|")]


def test_processes_share_batches_of_audio():
    ranks = [EpochSampler(SAMPLES[:200], None, seed=5, rank=r, world_size=2, batch_seconds=40) for r in range(2)]
    shares = [list(sampler) for sampler in ranks]
    assert len(shares[0]) == len(shares[1]) == len(ranks[0])
    for one, two in zip(*shares):
        audio = padded([[i for i, _ in one + two]], SAMPLES)[0]
        assert one and two and audio <= 40 * 16000
    evaluation = EpochSampler(SAMPLES[:200], 1, shuffle=False, batch_seconds=40)
    assert sorted(i for batch in evaluation for i, _ in batch) == list(range(200))
    assert max(padded([[i for i, _ in batch] for batch in evaluation], SAMPLES)) <= 40 * 16000


def test_utterances_that_no_processes_can_share_are_said(caplog):
    lengths = [16000, 16000, 48000, 80000]
    with caplog.at_level(logging.WARNING):
        EpochSampler(lengths, None, batch_seconds=6)
        EpochSampler(lengths, None, batch_seconds=6, world_size=2, shuffle=False)
        EpochSampler(lengths, None, batch_seconds=10, world_size=2)
        assert not caplog.records
        sampler = EpochSampler(lengths, None, batch_seconds=5, world_size=2)
    assert "2 utterances are too long" in caplog.text and "at least 10.0" in caplog.text
    assert [sorted(batch) for batch in sampler.batches] == [[0, 1]]


def items(lengths):
    return [Batch([f"u{i}"], torch.tensor([n]), torch.ones(1, n)) for i, n in enumerate(lengths)]


def sizes(batches):
    return [len(batch.keys) for batch in batches]


def test_micro_batches_hold_every_utterance_once_and_in_order():
    batches = CollateMicroBatches(collate, 3)(items([500] * 8))
    assert sizes(batches) == [3, 3, 2]
    assert [key for batch in batches for key in batch.keys] == [f"u{i}" for i in range(8)]


def test_micro_batches_by_seconds_bound_the_padded_audio():
    batches = CollateMicroBatches(collate, 1, seconds=2.0)(items([40_000, 16_000, 12_000, 8_000, 8_000]))
    assert sizes(batches) == [1, 2, 2]  # the first is too long and stands alone
    assert all(batch.noisy.numel() <= 32_000 for batch in batches[1:])


def test_no_micro_batch_lies_across_a_boundary():
    assert sizes(CollateMicroBatches(collate, 3, within=4)(items([500] * 10))) == [3, 1, 3, 1, 2]
    assert sizes(CollateMicroBatches(collate, 1, seconds=1.0, within=4)(items([4_000] * 10))) == [4, 4, 2]


def test_batches_are_of_one_group_and_groups_take_turns():
    lengths = [16000 * (1 + number % 7) for number in range(120)]
    groups = [number % 2 for number in range(120)]
    sampler = EpochSampler(lengths, 10, seed=3, groups=groups)
    batches = [[index for index, _ in batch] for batch in sampler]
    assert sorted(index for batch in batches for index in batch) == list(range(120))
    order = [{groups[index] for index in batch} for batch in batches]
    assert all(len(of) == 1 for of in order) and [of.pop() for of in order] == [0, 1] * 6
    sampler.start_at(0, 5)
    assert [[index for index, _ in batch] for batch in sampler] == batches[5:]


def test_a_smaller_group_is_spread_over_the_epoch():
    groups = [0] * 90 + [1] * 30
    sampler = EpochSampler([16000] * 120, 10, seed=3, groups=groups)
    order = [groups[batch[0][0]] for batch in sampler]
    assert sum(order) == 3 and all(sum(order[start : start + 4]) == 1 for start in (0, 4, 8))


def test_groups_have_batches_of_their_own_in_evaluation_too():
    groups = [0, 1, 0, 1, 1]
    batches = list(EpochSampler([5, 4, 3, 2, 1], 2, groups=groups, shuffle=False))
    assert [{groups[index] for index, _ in batch} for batch in batches] == [{1}, {0}, {1}]
