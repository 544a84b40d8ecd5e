"""Noisy crops beside the teacher's states of the same frames."""

import numpy as np
import pytest
import torch
from made_teacher import LOG_MEL

from merit.data.audio import read_audio
from merit.data.datadir import read_table
from merit.data.noise.online.online_speech import OnlineSpeech
from merit.data.states.shard_reader import ShardReader
from merit.errors import MeritError
from merit.nets.ssl import build_encoder
from merit.systems.distillation.noisy_examples import Examples, find_corpora
from merit.time_grid import FRAME_SAMPLES

LAYERS = [1, 2]


@pytest.fixture
def frame_lengths():
    return build_encoder(LOG_MEL.encoder).frame_lengths


def examples(taught, frame_lengths, part="train", **options):
    return Examples(find_corpora([taught[part].noisy], [taught[part].states]), LAYERS, frame_lengths, **options)


def test_crops_are_of_the_same_frames(taught, frame_lengths):
    made = examples(taught, frame_lengths, crop_frames=16, seed=5)
    speech, states = OnlineSpeech(taught["train"].noisy), ShardReader(taught["train"].states)
    item = made[2, 4]
    key = item.keys[0]
    noisy = speech.draw(key, 4).mixture.noisy
    whole = torch.from_numpy((noisy - states.header["mean"]) / states.header["std"]).float()
    found = [
        start
        for start in range(states.frames(key) - 15)
        if torch.allclose(whole[start * FRAME_SAMPLES :][: 16 * FRAME_SAMPLES], item.noisy[0], atol=1e-6)
    ]
    assert len(found) == 1 and item.lengths.tolist() == [16 * FRAME_SAMPLES]
    assert torch.equal(item.targets[0], states.read(key, found[0], found[0] + 16)[:, LAYERS])


def test_every_epoch_hears_another_mixture(taught, frame_lengths):
    made = examples(taught, frame_lengths)
    assert not torch.equal(made[0, 0].noisy, made[0, 1].noisy)
    assert torch.equal(made[0, 1].noisy, made[0, 1].noisy)


def test_a_stored_set_is_read_as_it_is(taught, frame_lengths):
    made = examples(taught, frame_lengths, "dev")
    states = ShardReader(taught["dev"].states)
    item = made[1, 7]
    samples = read_audio(read_table(taught["dev"].noisy / "wav.scp")[item.keys[0]], "")
    np.testing.assert_allclose(
        item.noisy[0], (samples - states.header["mean"]) / states.header["std"], rtol=1e-4, atol=1e-6
    )
    assert item.targets.shape[1] == min(states.frames(item.keys[0]), int(frame_lengths(item.lengths)))


def test_crops_differ_in_length_by_steps(taught, frame_lengths):
    made = examples(taught, frame_lengths, crop_frames=1000)
    heard = [made[place, 0].targets.shape[1] for place in range(len(made))]
    assert all(frames % 32 == 0 or frames < 32 for frames in heard)
    assert [samples / 16000 for samples in made.samples] == made.seconds


def test_a_student_with_fewer_frames_than_the_teacher(taught):
    made = examples(taught, lambda samples: samples // FRAME_SAMPLES - 2, crop_frames=16)
    item = made[0, 0]
    assert item.targets.shape[1] == 14 and item.frame_lengths.tolist() == [14]
    assert torch.equal(
        item.targets, examples(taught, lambda samples: samples // 320, crop_frames=16)[0, 0].targets[:, :14]
    )


def test_batches_are_padded(taught, frame_lengths):
    made = examples(taught, frame_lengths)
    items = [made[place, 0] for place in range(3)]
    batch = made.collate(items)
    assert batch.noisy.shape == (3, max(item.noisy.shape[1] for item in items))
    for row, item in enumerate(items):
        assert torch.equal(batch.targets[row, : item.targets.shape[1]], item.targets[0])
        assert not batch.noisy[row, item.noisy.shape[1] :].any()


def test_dumps_and_directories_belong_together(taught, tmp_path):
    with pytest.raises(MeritError, match="2 data directories and 1 dumps"):
        find_corpora([taught["train"].noisy] * 2, [taught["train"].states])
    with pytest.raises(MeritError, match="have no dumped states, .* run the dump again"):
        find_corpora([taught["train"].noisy], [taught["dev"].states])
