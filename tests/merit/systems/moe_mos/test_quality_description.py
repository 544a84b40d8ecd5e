"""Trained models and the encoder they were trained on."""

import pytest
import torch
from transformers import WavLMModel

from merit.errors import MeritError
from merit.systems.moe_mos.model_config import MosModelConfig
from merit.systems.moe_mos.quality_description import MosDescription, build_model, frozen_encoder, load_model
from merit.training.run_state import save_weights, start_run


@pytest.fixture
def saved(tmp_path, tiny_encoder, statistics):
    from merit.nets.ssl import load_encoder

    encoder = load_encoder(tiny_encoder)
    model = MosModelConfig(num_experts=2, expert_size=6, representation_size=5)
    sizes = (encoder.num_states, encoder.hidden_size, statistics, tiny_encoder, encoder.fingerprint())
    description = MosDescription(model, ["a", "b", "c"], *sizes, None, "float32")
    net = build_model(description, None)
    start_run(tmp_path / "run", description, {})
    save_weights(net, tmp_path / "run")
    return tmp_path / "run", description, net


def test_a_model_comes_back_as_it_was(saved):
    directory, description, net = saved
    found, read = load_model(directory)
    assert read == description and not found.training and found.encoder is None
    for name, value in net.state_dict().items():
        assert found.state_dict()[name].equal(value)


def test_its_encoder_is_found_again_and_another_one_refused(saved, tiny_encoder, tmp_path):
    directory, description, _ = saved
    assert frozen_encoder(description, directory).fingerprint() == description.ssl_fingerprint
    other = WavLMModel.from_pretrained(tiny_encoder)
    with torch.no_grad():
        other.encoder.layer_norm.weight.add_(1)
    other.save_pretrained(tmp_path / "other")
    with pytest.raises(MeritError, match=r"other: not the encoder that .*run was trained on.*\(--ssl\)"):
        frozen_encoder(description, directory, str(tmp_path / "other"))


def test_another_kind_of_model_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"description": {"speech": "clean"}}')
    with pytest.raises(MeritError, match="not the configuration of a trained MoE-MOS model"):
        load_model(tmp_path)
