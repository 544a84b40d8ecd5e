"""Original WavLM checkpoints (``WavLM-Large.pt`` of microsoft/unilm) as transformers models.

s3prl's copy of the original implementation reads the configuration and takes the weights strictly; they are then
renamed to transformers' names, so that one code path runs either kind.
"""

import logging
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from merit.errors import MeritError

# Original name -> transformers' name, tried in this order on every tensor.
_RENAMES = [
    (r"^post_extract_proj\.", "feature_projection.projection."),
    (r"^layer_norm\.", "feature_projection.layer_norm."),
    (r"^(feature_extractor\.conv_layers\.\d+)\.0\.", r"\1.conv."),
    # LayerNorm stands between two transpositions, GroupNorm alone.
    (r"^(feature_extractor\.conv_layers\.\d+)\.2\.(1\.)?", r"\1.layer_norm."),
    (r"^encoder\.pos_conv\.0\.weight_g$", "encoder.pos_conv_embed.conv.parametrizations.weight.original0"),
    (r"^encoder\.pos_conv\.0\.weight_v$", "encoder.pos_conv_embed.conv.parametrizations.weight.original1"),
    (r"^encoder\.pos_conv\.0\.bias$", "encoder.pos_conv_embed.conv.bias"),
    (r"\.self_attn\.grep_linear\.", ".attention.gru_rel_pos_linear."),
    (r"\.self_attn\.grep_a$", ".attention.gru_rel_pos_const"),
    (r"\.self_attn\.relative_attention_bias\.", ".attention.rel_attn_embed."),
    (r"\.self_attn\.", ".attention."),
    (r"\.self_attn_layer_norm\.", ".layer_norm."),
    (r"\.fc1\.", ".feed_forward.intermediate_dense."),
    (r"\.fc2\.", ".feed_forward.output_dense."),
]


def load_original_wavlm(path: Path) -> nn.Module:
    """``WavLMModel`` of transformers with the weights of an original checkpoint.

    Raises:
        MeritError: when the file is missing or damaged, or is not a WavLM checkpoint.
    """
    from transformers import WavLMModel

    original = _read(path)
    model = WavLMModel(_transformers_config(original))
    weights = {rename(name): value for name, value in original.state_dict().items() if name != "mask_emb"}
    model.load_state_dict(weights)
    return model


def rename(name: str) -> str:
    """transformers' name of the tensor that the original implementation calls ``name``."""
    for pattern, replacement in _RENAMES:
        name, replaced = re.subn(pattern, replacement, name)
        if replaced:
            break
    return name


def convolutions(text: object) -> list[tuple[int, ...]]:
    """(channels, kernel, stride) of every layer in ``"[(512,10,5)] + [(512,3,2)] * 4"``; none when it is no such text.

    It is read and never evaluated, since a few characters of arithmetic can take all memory or time there is.
    """
    layer = r"\(\d{1,5},\d{1,5},\d{1,5}\)"
    term = rf"\[({layer}(?:,{layer})*),?\](?:\*(\d{{1,2}}))?"
    text = re.sub(r"\s", "", str(text))
    if not re.fullmatch(rf"{term}(?:\+{term})*", text, re.ASCII):
        return []
    return [
        tuple(map(int, numbers.split(",")))
        for group, count in re.findall(term, text)
        for numbers in re.findall(r"\((.*?)\)", group) * int(count or 1)
    ]


def _read(path: Path) -> Any:
    """s3prl's ``WavLM`` with the weights of ``path``."""
    if not path.is_file():
        raise MeritError(f"{path}: there is no such file; expected a WavLM checkpoint such as WavLM-Large.pt")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise MeritError(
            f"{path}: cannot be read as tensors and plain values ({type(error).__name__}); the file is damaged or "
            "not a WavLM checkpoint. Fetch it again"
        ) from error
    if not isinstance(checkpoint, dict) or not {"cfg", "model"} <= checkpoint.keys():
        raise MeritError(f"{path}: expected 'cfg' and 'model' in it, as in microsoft/unilm's WavLM checkpoints")
    settings = dict(checkpoint["cfg"])
    if not (settings.get("relative_position_embedding") and settings.get("gru_rel_pos")):
        raise MeritError(f"{path}: not WavLM; its configuration has no gated relative position bias")
    if "conv_feature_layers" in settings:
        text = settings["conv_feature_layers"]
        layers = convolutions(text)
        if not layers:
            raise MeritError(
                f"{path}: conv_feature_layers is {str(text)[:200]!r}, expected a list of numbers as "
                "'[(512,10,5)] + [(512,3,2)] * 4'"
            )
        settings["conv_feature_layers"] = str(layers)  # s3prl evaluates it as Python
    from s3prl.upstream.wavlm.WavLM import WavLM, WavLMConfig

    logging.getLogger("s3prl.upstream.wavlm").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)  # the older weight_norm
        model = WavLM(WavLMConfig(settings))
    try:
        model.load_state_dict(checkpoint["model"])
    except RuntimeError as error:
        raise MeritError(f"{path}: the weights do not fit the checkpoint's configuration: {error}") from error
    return model


def _transformers_config(original: Any) -> Any:
    """transformers' configuration of the architecture that ``original`` has; SpecAugment and LayerDrop off."""
    from transformers import WavLMConfig

    settings = original.cfg
    convolutions = [block[0] for block in original.feature_extractor.conv_layers]
    return WavLMConfig(
        hidden_size=settings.encoder_embed_dim,
        num_hidden_layers=settings.encoder_layers,
        num_attention_heads=settings.encoder_attention_heads,
        intermediate_size=settings.encoder_ffn_embed_dim,
        hidden_act=settings.activation_fn,
        do_stable_layer_norm=settings.layer_norm_first,
        feat_extract_norm="layer" if settings.extractor_mode == "layer_norm" else "group",
        conv_bias=settings.conv_bias,
        conv_dim=[convolution.out_channels for convolution in convolutions],
        conv_kernel=[convolution.kernel_size[0] for convolution in convolutions],
        conv_stride=[convolution.stride[0] for convolution in convolutions],
        num_conv_pos_embeddings=settings.conv_pos,
        num_conv_pos_embedding_groups=settings.conv_pos_groups,
        num_buckets=settings.num_buckets,
        max_bucket_distance=settings.max_distance,
        hidden_dropout=settings.dropout,
        attention_dropout=settings.attention_dropout,
        activation_dropout=settings.activation_dropout,
        feat_proj_dropout=settings.dropout_input,
        layerdrop=0.0,
        apply_spec_augment=False,
        mask_time_prob=0.0,
        mask_feature_prob=0.0,
    )
