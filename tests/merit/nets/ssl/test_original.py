"""Original WavLM checkpoints against s3prl's implementation with the same weights."""

import pytest
import torch

from merit.errors import MeritError
from merit.nets.ssl import load_encoder
from merit.nets.ssl.original import convolutions

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

SETTINGS = {
    "encoder_layers": 3,
    "encoder_embed_dim": 32,
    "encoder_ffn_embed_dim": 48,
    "encoder_attention_heads": 4,
    "conv_feature_layers": "[(16,10,5)] + [(16,3,2)] * 4 + [(16,2,2)] * 2",
    "conv_pos": 16,
    "conv_pos_groups": 4,
    "relative_position_embedding": True,
    "gru_rel_pos": True,
    "num_buckets": 32,
    "max_distance": 40,
    "encoder_layerdrop": 0.05,
    "dropout_input": 0.1,
    "activation_fn": "gelu",
}
STYLES = {
    "large": SETTINGS | {"layer_norm_first": True, "extractor_mode": "layer_norm", "normalize": True},
    "base": SETTINGS | {"layer_norm_first": False, "extractor_mode": "default"},
}


def original_model(style: str):
    """s3prl's WavLM with every parameter moved from its initial value."""
    from s3prl.upstream.wavlm.WavLM import WavLM, WavLMConfig

    torch.manual_seed(3)
    model = WavLM(WavLMConfig(STYLES[style])).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return model


def save(model, settings, path):
    torch.save({"cfg": settings, "model": model.state_dict()}, path)
    return path


def original_states(model, waveform, frame_lengths):
    """States (B, T, L, D) of s3prl's modules; its own padding mask is up to two frames too long, so an exact one."""
    with torch.no_grad():
        features = model.layer_norm(model.feature_extractor(waveform).transpose(1, 2))
        features = model.post_extract_proj(features)
        padding = torch.arange(features.shape[1]) >= frame_lengths.unsqueeze(1)
        _, results = model.encoder(features, padding_mask=padding, layer=len(model.encoder.layers) - 1)
    return torch.stack([state.transpose(0, 1) for state, _ in results], dim=2)


@pytest.mark.parametrize("style", STYLES)
def test_every_state_equals_s3prl_with_the_same_weights(style, batch, tmp_path):
    model = original_model(style)
    encoder = load_encoder(save(model, STYLES[style], tmp_path / "WavLM.pt")).eval()
    waveform, lengths = batch
    if style == "base":  # its GroupNorm sees the padding in s3prl; test_wav2vec2.py holds that ours does not
        waveform, lengths = waveform[:, :4000], torch.tensor([4000] * 3)
    with torch.no_grad():
        states, frame_lengths = encoder(waveform, lengths)
    expected = original_states(model, waveform, frame_lengths)
    assert states.shape == expected.shape == (3, int(frame_lengths.max()), 4, 32)
    for row, frames in enumerate(frame_lengths.tolist()):
        assert (states[row, :frames] - expected[row, :frames]).abs().max() <= 5e-6


def test_original_checkpoint_is_the_encoder_that_transformers_saves(tmp_path):
    encoder = load_encoder(save(original_model("large"), STYLES["large"], tmp_path / "WavLM.pt"))
    encoder.model.save_pretrained(tmp_path / "converted")
    converted = load_encoder(tmp_path / "converted")
    assert converted.fingerprint() == encoder.fingerprint()
    assert converted.config_dict() == encoder.config_dict()


@pytest.mark.parametrize(
    "layers",
    [
        "9**9**9**9",
        "[(9**9**9**9, 3, 2)]",
        "[(16,10,5)] * 9 ** 9 ** 9 ** 9",
        "[(16,10,5)] * 99999999999",
        "[(16,10,5)] * 99 * 99 * 99 * 99 * 99",
        "(((((((([(16,10,5)] * 99) * 99) * 99) * 99) * 99) * 99) * 99) * 99)",
        "[(16,10,5)] + [(16,3)]",
        "[]",
        "[] * 4",
        "",
        [[16, 10, 5]],
    ],
)
def test_only_a_list_of_convolutions_reaches_the_eval_of_s3prl(tmp_path, layers):
    path = tmp_path / "evil.pt"
    torch.save({"cfg": STYLES["large"] | {"conv_feature_layers": layers}, "model": {}}, path)
    with pytest.raises(MeritError, match=r"evil.pt: conv_feature_layers is .*, expected a list of numbers as"):
        load_encoder(path)


@pytest.mark.parametrize(
    "text, layers",
    [
        ("[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2", [(512, 10, 5)] + [(512, 3, 2)] * 4 + [(512, 2, 2)] * 2),
        ("[(16, 10, 5), (16, 3, 2),]*2 +[ (8,2,2) ]", [(16, 10, 5), (16, 3, 2)] * 2 + [(8, 2, 2)]),
    ],
)
def test_convolutions_are_read_as_python_reads_them(text, layers):
    assert convolutions(text) == layers


def test_bad_checkpoints_are_refused(tmp_path):
    with pytest.raises(MeritError, match="no such file"):
        load_encoder(tmp_path / "none.pt")
    (tmp_path / "damaged.pt").write_bytes(b"PK\x03\x04 not a checkpoint")
    with pytest.raises(MeritError, match="damaged"):
        load_encoder(tmp_path / "damaged.pt")
    torch.save({"weights": {}}, tmp_path / "other.pt")
    with pytest.raises(MeritError, match="'cfg' and 'model'"):
        load_encoder(tmp_path / "other.pt")
    model = original_model("large")
    with pytest.raises(MeritError, match="relative position bias"):
        load_encoder(save(model, STYLES["large"] | {"gru_rel_pos": False}, tmp_path / "hubert.pt"))
    with pytest.raises(MeritError, match="list of numbers"):
        evil = STYLES["large"] | {"conv_feature_layers": "__import__('os').getcwd()"}
        load_encoder(save(model, evil, tmp_path / "evil.pt"))
    with pytest.raises(MeritError, match="do not fit"):
        load_encoder(save(model, STYLES["large"] | {"encoder_layers": 4}, tmp_path / "layers.pt"))
