"""Encoders from their weights, or from their configuration alone."""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from merit.assets.find import find_asset
from merit.errors import MeritError
from merit.nets.ssl.encoder import SpeechEncoder

MODEL_TYPES = ("wavlm", "hubert", "wav2vec2", "data2vec-audio", "whisper")


def load_encoder(source: str | Path, gradient_checkpointing: bool = False) -> SpeechEncoder:
    """An encoder with its pre-trained weights, in float32.

    Args:
        source: an encoder of the package, ``merit-tiny``; else a transformers model directory, a hub name such as
            ``microsoft/wavlm-large``, or an original checkpoint such as ``WavLM-Large.pt``.
        gradient_checkpointing: recompute the transformer layers in the backward pass to save memory.

    Raises:
        MeritError: when the source is not there or cannot be fetched, is of a kind not supported, or lacks weights.
    """
    source = find_asset(str(source)) or source
    path = Path(source)
    if path.suffix in (".pt", ".pth"):
        from merit.nets.ssl.original import load_original_wavlm

        model = load_original_wavlm(path)
    else:
        model = _load_transformers(str(source))
    broken = [name for name, value in model.named_parameters() if not torch.isfinite(value).all()]
    if broken:
        raise MeritError(f"{source}: the weights {broken[0]} are not finite; the file is damaged, fetch it again")
    return _wrap(model, gradient_checkpointing)


def build_encoder(config: dict[str, Any], gradient_checkpointing: bool = False) -> SpeechEncoder:
    """An encoder of the same architecture with random weights, from ``SpeechEncoder.config_dict()``.

    Raises:
        MeritError: when the configuration is of a kind not supported.
    """
    from transformers import AutoConfig, AutoModel
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    settings = copy.deepcopy(config)
    model_type = _check_model_type("encoder configuration", settings.pop("model_type", None))
    model_config = _without_augmentation(AutoConfig.for_model(model_type, **settings))
    model = WhisperEncoder(model_config) if model_type == "whisper" else AutoModel.from_config(model_config)
    return _wrap(model, gradient_checkpointing)


def _wrap(model: nn.Module, gradient_checkpointing: bool) -> SpeechEncoder:
    from merit.nets.ssl.wav2vec2 import Wav2Vec2SpeechEncoder
    from merit.nets.ssl.wavlm import WavLMSpeechEncoder
    from merit.nets.ssl.whisper import WhisperSpeechEncoder

    kinds = {"wavlm": WavLMSpeechEncoder, "whisper": WhisperSpeechEncoder}
    return kinds.get(model.config.model_type, Wav2Vec2SpeechEncoder)(model.float(), gradient_checkpointing)


def _check_model_type(source: str, model_type: str | None) -> str:
    if model_type not in MODEL_TYPES:
        known = ", ".join(MODEL_TYPES)
        raise MeritError(f"{source}: model type {model_type!r} is not supported; expected one of {known}")
    return model_type


def _without_augmentation(config: Any) -> Any:
    """Turn off LayerDrop and SpecAugment, and leave out the parameters that would never be used.

    With both mask probabilities at 0 transformers makes no ``masked_spec_embed``, without ``add_adapter`` no adapter.
    """
    off = {"layerdrop": 0.0, "encoder_layerdrop": 0.0, "mask_time_prob": 0.0, "mask_feature_prob": 0.0}
    off |= {"apply_spec_augment": False, "add_adapter": False}
    for name, value in off.items():
        if hasattr(config, name):
            setattr(config, name, value)
    return config


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Silence bars and reports of unused weights while loading; missing weights are an error here."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        logging.enable_progress_bar()


def _load_transformers(source: str) -> nn.Module:
    """Model of a transformers directory or hub name: ``WhisperEncoder``, ``WavLMModel`` and so on."""
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModel
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    path = Path(source)
    is_hub_name = not path.exists() and re.fullmatch(r"\w[\w.-]*(/[\w.-]+)?", source) is not None
    if not is_hub_name and not (path / "config.json").is_file():
        raise MeritError(
            f"{source}: {'no config.json in it' if path.exists() else 'there is no such directory'}; expected a "
            "transformers model directory, a hub name such as microsoft/wavlm-large, or a WavLM .pt file"
        )
    try:
        with _quiet_transformers():
            config = AutoConfig.from_pretrained(source)
            model_type = _check_model_type(source, config.model_type)
            # A Whisper checkpoint is the whole model, unless somebody saved the encoder alone.
            alone = model_type == "whisper" and config.architectures == ["WhisperEncoder"]
            model, report = (WhisperEncoder if alone else AutoModel).from_pretrained(
                source, config=_without_augmentation(config), output_loading_info=True
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        if path.exists():
            raise MeritError(f"{source}: cannot be loaded as a transformers model: {reason}") from error
        raise MeritError(
            f"{source}: there is no such directory, and it cannot be fetched from the hub ({reason}). Where there is "
            f"a network, fetch it with `hf download {source} --local-dir DIR`, copy DIR here and give DIR as encoder"
        ) from error
    if model_type == "whisper" and not alone:
        model = model.get_encoder()
        report = {"missing_keys": [key for key in report["missing_keys"] if "encoder." in key]}
    if report["missing_keys"]:
        raise MeritError(
            f"{source}: the weights lack {len(report['missing_keys'])} tensors of the model its config.json describes, "
            f"{sorted(report['missing_keys'])[0]} is the first; fetch the model again"
        )
    return model
