"""What every encoder says of itself."""

import json

import torch

from merit.nets.ssl import load_encoder
from merit.nets.ssl.encoder import attention_bias


def test_configuration_names_no_place(model_directory, tmp_path):
    assert str(tmp_path) not in json.dumps(load_encoder(model_directory("wavlm-large")).config_dict())


def test_fingerprint_sees_one_changed_value(model_directory):
    path = model_directory("wavlm-large")
    encoder = load_encoder(path)
    before = encoder.fingerprint()
    assert load_encoder(path).fingerprint() == before
    with torch.no_grad():
        encoder.model.encoder.layers[1].attention.k_proj.weight[3, 4] += 1e-6
    assert encoder.fingerprint() != before


def test_attention_bias_shuts_padding_out_and_has_the_queries_type():
    mask = torch.tensor([[True, True, False], [True, False, False]])
    scores = torch.randn(2, 4, 3, 3)
    bias = attention_bias(mask, scores)
    assert bias.shape == (2, 1, 1, 3) and bias.dtype == torch.float32
    weights = torch.softmax(scores + bias, dim=-1)
    for row, length in enumerate((2, 1)):
        assert (weights[row, :, :, length:] == 0).all()
        torch.testing.assert_close(weights[row, :, :, :length], torch.softmax(scores[row, :, :, :length], dim=-1))
    with torch.autocast("cpu", torch.bfloat16):
        assert attention_bias(mask, scores).dtype == torch.bfloat16
