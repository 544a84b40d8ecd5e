"""What the options of a training change, and what they leave."""

from dataclasses import replace

import pytest
import torch
from accelerate.state import AcceleratorState
from tiny_training import MODEL, ONE_EPOCH, assert_same, history, phase2

from merit.errors import MeritError
from merit.nets.ssl import SpeechEncoder


def test_gradient_checkpointing_changes_nothing(corpus, tiny_encoder, tmp_path):
    kept = phase2(corpus, tiny_encoder, tmp_path / "kept", training=ONE_EPOCH)
    again = phase2(corpus, tiny_encoder, tmp_path / "again", training=replace(ONE_EPOCH, gradient_checkpointing=True))
    assert_same(again, kept, 1e-6)


def test_compiled_layers_learn_the_same(corpus, tiny_encoder, tmp_path, monkeypatch):
    compiled = []
    compile_layers = SpeechEncoder.compile_layers

    def without_a_compiler(encoder):
        compiled.append(encoder)
        compile_layers(encoder, backend="aot_eager")

    monkeypatch.setattr(SpeechEncoder, "compile_layers", without_a_compiler)
    plain = phase2(corpus, tiny_encoder, tmp_path / "plain", training=ONE_EPOCH)
    assert not compiled
    same = phase2(corpus, tiny_encoder, tmp_path / "compiled", training=replace(ONE_EPOCH, compile=True))
    assert len(compiled) == 1
    assert_same(same, plain, 1e-5)


def test_bfloat16_is_close_to_float32(corpus, tiny_encoder, tmp_path):
    rows = []
    for precision in ("float32", "bfloat16"):
        AcceleratorState._reset_state()  # accelerate keeps one precision for the life of a process
        phase2(corpus, tiny_encoder, tmp_path / precision, training=replace(ONE_EPOCH, precision=precision))
        rows.append(history(tmp_path / precision)[0])
    AcceleratorState._reset_state()
    for name in ("train_emotion", "train_enhancement", "dev_criterion"):
        assert rows[0][name] == pytest.approx(rows[1][name], rel=0.05)
        assert rows[0][name] != rows[1][name]


def test_balancing_loss_is_trained_and_no_part_of_the_criterion(corpus, tiny_encoder, tmp_path):
    phase2(corpus, tiny_encoder, tmp_path, training=replace(ONE_EPOCH, balancing_weight=0.01))
    row = history(tmp_path)[0]
    # Two gates over three experts: between 2 (even) and 6 (one expert takes all).
    assert 1.9 < row["train_balancing"] < 6 and 1.9 < row["dev_balancing"] < 6
    assert row["dev_criterion"] == pytest.approx(row["dev_emotion"] + row["dev_enhancement"])


def test_a_shared_gate_pays_the_balancing_loss_once(corpus, tiny_encoder, tmp_path):
    still = replace(ONE_EPOCH, balancing_weight=0.01, learning_rate=0.0, encoder_learning_rate=0.0)
    rows = []
    for shared in (True, False):
        phase2(corpus, tiny_encoder, tmp_path / str(shared), replace(MODEL, shared_gate=shared), still)
        rows.append(history(tmp_path / str(shared))[0])
    # A new gate uses its three experts about evenly, which is a loss of 1 for each gate.
    for part in ("train_balancing", "dev_balancing"):
        assert rows[0][part] == pytest.approx(1, abs=0.3) and rows[1][part] == pytest.approx(2, abs=0.6)


def test_loss_weights_choose_what_is_learned(corpus, tiny_encoder, tmp_path):
    training = replace(ONE_EPOCH, emotion_weight=0.0, enhancement_weight=2.0, weight_decay=0.0)
    start = phase2(corpus, tiny_encoder, tmp_path / "start", training=replace(ONE_EPOCH, learning_rate=0.0))
    weights = phase2(corpus, tiny_encoder, tmp_path / "run", training=training)
    moved = {
        task: any(not torch.equal(weights[name], start[name]) for name in weights if name.startswith(f"{task}_head."))
        for task in ("emotion", "enhancement")
    }
    assert moved == {"emotion": False, "enhancement": True}
    row = history(tmp_path / "run")[0]
    assert row["dev_criterion"] == pytest.approx(2 * row["dev_enhancement"])


def test_crops_are_refused_in_phase_2(corpus, tiny_encoder, tmp_path):
    with pytest.raises(MeritError, match="crops are for phase 1"):
        phase2(corpus, tiny_encoder, tmp_path, MODEL, replace(ONE_EPOCH, crop_seconds=1.28))
