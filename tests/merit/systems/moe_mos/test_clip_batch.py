"""Batches of rated clips."""

import torch

from merit.systems.moe_mos.clip_batch import MosBatch, collate


def clip(name, frames, mos):
    one = torch.ones(1, dtype=torch.long)
    states = torch.ones(1, frames, 2, 3)
    return MosBatch(
        [name], 320 * frames * one, one, torch.tensor([mos]), -one, states=states, frame_lengths=frames * one
    )


def test_clips_are_joined_and_padded_with_zeros():
    batch = collate([clip("a", 2, 3.5), clip("b", 4, float("nan"))])
    assert batch.keys == ["a", "b"] and batch.waveform is None
    assert batch.states.shape == (2, 4, 2, 3) and batch.states[0, 2:].eq(0).all()
    assert batch.lengths.tolist() == [640, 1280] and batch.frame_lengths.tolist() == [2, 4]
    assert batch.mos.isnan().tolist() == [False, True]


def test_lengths_stay_with_the_host():
    moved = collate([clip("a", 2, 3.5)]).to(torch.device("meta"))
    assert {name: getattr(moved, name).device.type for name in ("lengths", "frame_lengths", "states", "mos")} == {
        "lengths": "cpu",
        "frame_lengths": "cpu",
        "states": "meta",
        "mos": "meta",
    }
