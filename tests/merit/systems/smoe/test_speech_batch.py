"""Batches: padding, targets, and utterances of one bandwidth side by side."""

import torch

from merit.systems.smoe.speech_batch import UNSCORED, SpeechBatch, collate


def item(key, frames, bandwidth, text, transcript=None):
    tokens = torch.tensor([[1, 3, 5, *text]])
    return SpeechBatch(
        keys=[key],
        lengths=torch.tensor([160 * frames]),
        features=torch.full((1, frames, 4), float(frames)),
        frames=torch.tensor([frames]),
        bandwidths=[bandwidth],
        task=1,
        tokens=tokens,
        token_mask=torch.ones_like(tokens, dtype=torch.bool),
        targets=torch.tensor([[UNSCORED, UNSCORED, *text, 2]]),
        transcripts=None if transcript is None else torch.tensor([transcript]),
        transcript_lengths=None if transcript is None else torch.tensor([len(transcript)]),
    )


def test_a_batch_is_padded_and_sorted_by_bandwidth():
    batch = collate([item("a", 5, 1, [7, 8, 9], [4]), item("b", 3, 0, [6], [4, 4]), item("c", 2, 1, [], [4])])
    assert batch.keys == ["b", "a", "c"] and batch.bandwidths == [0, 1, 1] and batch.task == 1
    assert batch.frames.tolist() == [3, 5, 2] and batch.lengths.tolist() == [480, 800, 320]
    assert batch.features.shape == (3, 5, 4) and batch.features[0, 3:].eq(0).all() and batch.features[2, :2].eq(2).all()
    assert batch.token_mask.sum(dim=1).tolist() == [4, 6, 3]
    assert batch.targets.tolist() == [
        [UNSCORED, UNSCORED, 6, 2, UNSCORED, UNSCORED],
        [UNSCORED, UNSCORED, 7, 8, 9, 2],
        [UNSCORED, UNSCORED, 2, UNSCORED, UNSCORED, UNSCORED],
    ]
    assert batch.transcripts.tolist() == [[4, 4], [4, 0], [4, 0]] and batch.transcript_lengths.tolist() == [2, 1, 1]


def test_lengths_stay_on_the_host():
    batch = collate([item("a", 5, 1, [7])]).to(torch.device("meta"))
    assert batch.features.is_meta and batch.tokens.is_meta
    assert not batch.frames.is_meta and not batch.lengths.is_meta
