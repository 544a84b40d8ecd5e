"""Rated clips as examples."""

import shutil

import pytest
import torch

from merit.data.datadir import write_table
from merit.data.states.shard_reader import ShardReader
from merit.errors import MeritError
from merit.systems.moe_mos.clip_dataset import ClipDataset, listeners_in, systems_in


def test_ratings_and_classes(rated, statistics):
    dataset = ClipDataset(rated["half"], ["bad", "clean"], statistics)
    by_key = dict(zip(dataset.keys, zip(dataset.mos.tolist(), dataset.systems.tolist())))
    assert by_key["clean-0"] == (4.5, 1)
    assert by_key["bad-0"][0] != by_key["bad-0"][0] and by_key["bad-0"][1] == 0
    assert by_key["fair-0"] == (3.0, -1)
    assert systems_in(rated["half"]) == ["bad", "clean", "fair"]


def test_states_of_a_larger_dump_and_audio_are_of_the_same_clip(rated, statistics, tiny_encoder):
    from merit.nets.ssl import load_encoder

    audio = ClipDataset(rated["test"], ["bad"], statistics)[1, 0]
    states = ClipDataset(rated["test"], ["bad"], states=ShardReader(rated["test_dump"]))[1, 0]
    assert audio.keys == states.keys and states.waveform is None
    assert abs(audio.lengths - states.lengths) <= 1  # utt2dur has four decimals
    with torch.no_grad():
        expected, lengths = load_encoder(tiny_encoder).eval()(audio.waveform, audio.lengths)
    assert lengths.equal(states.frame_lengths)
    torch.testing.assert_close(states.states.float(), expected, atol=0.03, rtol=0.01)


def test_a_clip_that_was_not_dumped_is_named(rated, tmp_path):
    shutil.copytree(rated["train"], tmp_path / "train")
    with pytest.raises(MeritError, match="12 utterances have no dumped states, bad-2 is the first"):
        ClipDataset(tmp_path / "train", [], states=ShardReader(rated["test_dump"]))


def test_tables_of_different_clips_are_refused(rated, statistics, tmp_path):
    directory = shutil.copytree(rated["test"], tmp_path / "test")
    write_table(directory / "wav.scp", {"bad-0": "a.wav"})
    with pytest.raises(MeritError, match="clip bad-1 is in only one of wav.scp and ratings.csv"):
        ClipDataset(directory, [], statistics)


def test_half_of_the_time_a_listener_is_asked(rated, statistics):
    assert listeners_in(rated["train"]) == ["L0", "L1"]
    dataset = ClipDataset(rated["train"], [], statistics, listeners=["L0", "L1"], seed=3)
    place = dataset.keys.index("clean-0")
    heard = [dataset[place, epoch] for epoch in range(60)]
    said = {(item.listeners.item(), item.mos.item()) for item in heard}
    assert said == {(0, 4.5), (1, 5.0), (2, 4.0)}
    assert 15 < sum(item.listeners.item() == 0 for item in heard) < 45
    assert dataset[place, 7].mos.equal(dataset[place, 7].mos)  # a function of clip, epoch and seed
    unrated = ClipDataset(rated["half"], [], statistics, listeners=["L0"])
    item = unrated[unrated.keys.index("bad-0"), 0]
    assert item.listeners.item() == 0 and item.mos.isnan()


def test_means_have_no_listeners_to_learn(rated, tmp_path):
    text = (rated["test"] / "ratings.csv").read_text().replace(",L0", ",")
    kept = [line for line in text.splitlines() if not line.endswith(",L1")]
    (tmp_path / "ratings.csv").write_text("\n".join(kept))
    with pytest.raises(MeritError, match="no rating has a listener; model.rater_embedding needs them"):
        listeners_in(tmp_path)


def test_unrated_clips_are_left_out_when_asked(rated, statistics):
    whole, kept = (
        ClipDataset(rated["half"], ["bad", "clean", "fair"], statistics, rated_only=one) for one in (False, True)
    )
    assert (len(whole), len(kept)) == (18, 12) and not kept.mos.isnan().any()
    assert kept.samples == [samples for samples, mos in zip(whole.samples, whole.mos) if not mos.isnan()]
    assert kept[11, 0].keys == ["fair-5"] and kept[11, 0].systems.item() == 2
