"""Updates of experts: as many as there were steps for them, and as far as they went."""

from dataclasses import replace

import pytest
import torch
from accelerate.utils import set_seed
from small_smoe import TINY, TRAINING, make_set, train_tiny

from merit.errors import MeritError
from merit.systems.smoe.expert_updates import expert_updates, uneven
from merit.systems.smoe.smoe_description import build_model, read_smoe_description
from merit.training.run_state import load_state


def test_updates_are_counted_by_expert(speech_corpus, tmp_path):
    """All utterances are wide, and each task has as many batches."""
    wide = make_set(tmp_path, "wide", 8, 4, bandwidths=("wide",))
    corpus = speech_corpus | {"train": wide}
    train_tiny(corpus, tmp_path / "run", training=replace(TRAINING, batch_seconds=100.0, epochs=3))
    rows = {(row["side"], row["expert"]): row for row in expert_updates(tmp_path / "run")}
    assert {key: row["updates"] for key, row in rows.items()} == {
        ("encoder", 0): 6,  # a batch of each task in each epoch
        ("encoder", 1): 0,
        ("decoder", 0): 3,
        ("decoder", 1): 3,
    }
    assert rows["encoder", 1]["distance"] == 0 and rows["decoder", 1]["distance"] > 0
    set_seed(3)
    before = build_model(read_smoe_description(tmp_path / "run"))
    after = load_state(tmp_path / "run")["model"]
    moved = [
        after[name] - value for name, value in before.state_dict().items()
        if name.startswith("text.") and ".experts.0." in name
    ]  # fmt: skip
    expected = torch.cat([values.flatten() for values in moved]).square().mean().sqrt().item()
    assert rows["decoder", 0]["distance"] == pytest.approx(expected, rel=1e-5)


def test_distances_of_upcycled_experts_begin_at_the_dense_ones(speech_corpus, tmp_path):
    dense = replace(TINY, encoder_experts=1, decoder_experts=1)
    train_tiny(speech_corpus, tmp_path / "base-3", dense)
    assert expert_updates(tmp_path / "base-3") == []
    still = replace(TRAINING, epochs=1, learning_rate=0.0)
    train_tiny(speech_corpus, tmp_path / "up-3", training=still, upcycle_from=tmp_path / "base-3")
    assert [row["distance"] for row in expert_updates(tmp_path / "up-3")] == [0, 0, 0, 0]


def test_uneven_ones_are_named():
    def row(side, updates, distance):
        return {"side": side, "expert": 0, "updates": updates, "distance": distance}

    even = [row("encoder", 10, 0.1), row("encoder", 14, 0.14)]
    assert uneven(even) == []
    assert uneven([*even, row("decoder", 10, 0.1), row("decoder", 16, 0.1)]) == [
        "updates of the decoder's experts differ by a factor of 1.60"
    ]
    assert "inf" in uneven([row("encoder", 0, 0.1), row("encoder", 1, 0.1)])[0]


def test_a_run_without_a_state_is_named(speech_model_directory):
    with pytest.raises(MeritError, match="last.pt: not there"):
        expert_updates(speech_model_directory)
