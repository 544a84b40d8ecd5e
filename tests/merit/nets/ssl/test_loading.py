"""Loading, rebuilding and telling encoders apart."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from merit.errors import MeritError
from merit.nets.ssl import build_encoder, load_encoder

KINDS = ["wavlm-large", "wavlm-base", "hubert-base", "wav2vec2-large", "data2vec-audio", "whisper"]


@pytest.mark.parametrize("kind", KINDS)
def test_configuration_and_weights_make_the_same_encoder_again(kind, model_directory, batch):
    encoder = load_encoder(model_directory(kind)).eval()
    config = json.loads(json.dumps(encoder.config_dict()))
    rebuilt = build_encoder(config).eval()
    assert rebuilt.fingerprint() != encoder.fingerprint()
    rebuilt.load_state_dict(encoder.state_dict())
    assert rebuilt.fingerprint() == encoder.fingerprint()
    assert rebuilt.config_dict() == config
    assert (rebuilt.hidden_size, rebuilt.num_states) == (32, 4)
    with torch.no_grad():
        assert torch.equal(rebuilt(*batch)[0], encoder(*batch)[0])


def test_positional_convolution_in_the_older_naming_is_read(model_directory):
    """Hub checkpoints of before torch 2 have weight_g and weight_v."""
    path = model_directory("wavlm-large")
    expected = load_encoder(path).fingerprint()
    tensors = load_file(path / "model.safetensors")
    prefix = "encoder.pos_conv_embed.conv."
    for number, old in enumerate(("weight_g", "weight_v")):
        tensors[prefix + old] = tensors.pop(f"{prefix}parametrizations.weight.original{number}")
    save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})
    assert load_encoder(path).fingerprint() == expected


def test_unusable_sources_are_refused(model_directory, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MeritError, match="hf download no-one/no-model"):
        load_encoder("no-one/no-model")
    with pytest.raises(MeritError, match="no config.json in it"):
        load_encoder(tmp_path)
    with pytest.raises(MeritError, match="there is no such directory; expected"):
        load_encoder(tmp_path / "none")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(MeritError, match="'bert' is not supported; expected one of wavlm"):
        load_encoder(tmp_path)
    with pytest.raises(MeritError, match="not supported"):
        build_encoder({"model_type": "clap"})


def test_missing_and_broken_weights_are_refused(model_directory):
    path = model_directory("wavlm-large") / "model.safetensors"
    tensors = load_file(path)
    name = "encoder.layers.2.feed_forward.output_dense.weight"
    save_file({**tensors, name: torch.full_like(tensors[name], torch.nan)}, path, metadata={"format": "pt"})
    with pytest.raises(MeritError, match=f"{name} are not finite"):
        load_encoder(path.parent)
    save_file({key: value for key, value in tensors.items() if key != name}, path, metadata={"format": "pt"})
    with pytest.raises(MeritError, match=f"lack 1 tensors .*{name}"):
        load_encoder(path.parent)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(MeritError, match="cannot be loaded"):
        load_encoder(path.parent)
