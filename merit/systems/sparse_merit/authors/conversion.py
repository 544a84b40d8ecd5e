"""The authors' released Sparse MERIT as a model directory of ours.

==============  ==================================================================================================
``final_ssl``   microsoft/unilm's WavLM; sizes are read off the tensors, what no tensor tells is that of WavLM Large
``final_mmoe``  one LayerNorm a layer, experts of two Linear, ``gates.0`` of enhancement and ``gates.1`` of emotion;
                the gates are top-1 and ``hard``: an expert's output counts once, not times its probability
``final_pool``  attentive statistics pooling
``final_ser``   classifier; its classes are angry, sad, happy, neutral, in this order
``final_se``    decoder of BSSE-SE; the layer weights and LayerNorms in it are left over from phase 1 and not used
==============  ==================================================================================================

On the same weights our forward pass differs from the release's in this:

- The release adds 1e-6 to magnitudes before log1p and takes it off after expm1; ours does not. Under one mask that
  moves a bin of the enhanced spectrum, which is that of a normalised waveform, by no more than 2e-6.
- The release reads the first 12 s of an utterance; :mod:`merit.systems.sparse_merit.inference` reads all of it, in
  pieces of 20 s.
- In a padded batch the release's attention and pooling take in a frame or two of padding and its BLSTM all of it,
  ours none. It was evaluated on one utterance at a time, where there is no padding.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from merit.data.statistics import WaveformStatistics
from merit.errors import MeritError
from merit.nets.ssl import build_encoder
from merit.nets.ssl.original import rename as rename_wavlm
from merit.systems.sparse_merit.authors.release import STATISTICS, WEIGHTS, locate_release, read_state, read_statistics
from merit.systems.sparse_merit.description import ModelDescription, build_model
from merit.systems.sparse_merit.model import MeritModel
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.training.run_state import save_weights, start_run

CLASSES = ["angry", "sad", "happy", "neutral"]

_WAVLM_LARGE = {
    "model_type": "wavlm",
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "conv_bias": False,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "hidden_act": "gelu",
    "activation_dropout": 0.0,
    "feat_proj_dropout": 0.1,
    "max_bucket_distance": 800,
}

# For each file patterns of the authors' names and ours; None where the release has no use for the tensor.
_NAMES: dict[str, dict[str, str | None]] = {
    "final_mmoe.pt": {
        r"layer_norms\.(\d+)\.(weight|bias)": r"layer_norms.\1.\2",  # one tensor each in ours, see _stack_layer_norms
        r"experts\.(\d+)\.fc1\.(weight|bias)": r"front_end.experts.\1.0.\2",
        r"experts\.(\d+)\.fc2\.(weight|bias)": r"front_end.experts.\1.2.\2",
        r"gates\.0\.fc\.(weight|bias)": r"front_end.gates.enhancement.projection.\1",
        r"gates\.1\.fc\.(weight|bias)": r"front_end.gates.emotion.projection.\1",
    },
    "final_pool.pt": {
        r"sap_linear\.(weight|bias)": r"emotion_head.pooling.projection.\1",
        r"attention": r"emotion_head.pooling.attention",
    },
    "final_ser.pt": {
        r"fc\.0\.0\.(weight|bias)": r"emotion_head.classifier.1.\1",
        r"fc\.0\.1\.(weight|bias)": r"emotion_head.classifier.2.\1",
        r"out\.0\.(weight|bias)": r"emotion_head.classifier.5.\1",
    },
    "final_se.pt": {
        r"weights|layer_norm\.\d+\.(weight|bias)": None,
        r"lstm_enc\.0\.(weight|bias)": r"enhancement_head.projection.\1",
        r"lstm_enc\.1\.blstm\.((?:weight|bias)_[ih]h)_l(\d)": r"enhancement_head.blstm.ahead.\2.\1_l0",
        r"lstm_enc\.1\.blstm\.((?:weight|bias)_[ih]h)_l(\d)_reverse": r"enhancement_head.blstm.back.\2.\1_l0",
        r"lstm_enc\.2\.(weight|bias)": r"enhancement_head.output.\1",
    },
}


def convert_release(
    source: Path, output: Path, statistics: WaveformStatistics | None = None, name: str | None = None
) -> None:
    """Write ``config.json`` and ``model.safetensors`` of the model whose files lie in ``source`` or below it.

    Args:
        source: folder of the authors' files.
        output: the model directory.
        statistics: normalisation of the waveforms; None reads ``train_norm_stat.pkl``.
        name: noted as origin; None notes the path of ``source``.

    Raises:
        MeritError: when a file is missing, damaged, holds more than tensors and numbers, or does not fit the others;
            or when ``output`` holds another model.
    """
    if not source.is_dir():
        raise MeritError(f"{source}: there is no such directory; expected the folder of {', '.join(WEIGHTS)}")
    paths = [PurePosixPath(path.relative_to(source)) for path in source.rglob("*")]
    located = locate_release(paths, str(source), with_statistics=statistics is None)
    files = {file: source / path for file, path in located.items()}
    if statistics is None:
        statistics = read_statistics(files[STATISTICS])
    states = {file: read_state(files[file]) for file in WEIGHTS}

    weights: dict[str, Tensor] = {}
    for file, names in _NAMES.items():
        weights |= _renamed(states[file], names, files[file])
    with _shapes_as_expected(source):
        _stack_layer_norms(weights)
        weights["emotion_head.pooling.attention"] = weights["emotion_head.pooling.attention"].squeeze(1)
        config = ModelConfig(
            num_experts=len(weights["front_end.gates.emotion.projection.bias"]),
            expert_size=len(weights["front_end.experts.0.0.bias"]),
            top_k=1,
            gate_weight="hard",
            emotion_size=len(weights["emotion_head.classifier.1.bias"]),
            enhancement_size=len(weights["enhancement_head.projection.bias"]),
        )
    model, description = _assemble(config, statistics, states["final_ssl.pt"], weights, source)
    origin = name or str(source)
    description.ssl = origin
    description.ssl_fingerprint = model.encoder.fingerprint()
    start_run(output, description, {"converted_from": origin})
    save_weights(model, output)


def _assemble(
    config: ModelConfig,
    statistics: WaveformStatistics,
    wavlm: Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
    source: Path,
) -> tuple[MeritModel, ModelDescription]:
    """The model with ``weights`` around the encoder with the tensors ``wavlm``, and all but the origin of it."""
    wavlm = {_older_weight_norm(name): value for name, value in wavlm.items() if name != "mask_emb"}
    with _shapes_as_expected(source), torch.device("meta"):  # its 645 million random weights would be thrown away
        encoder = build_encoder(_wavlm_settings(wavlm))
        description = ModelDescription(
            model=config,
            classes=CLASSES,
            num_states=encoder.num_states,
            hidden_size=encoder.hidden_size,
            statistics=statistics,
            ssl="",
            ssl_fingerprint="",
            encoder=encoder.config_dict(),
            precision="float32",
        )
        model = build_model(description, encoder)
    try:
        model.load_state_dict(
            {f"encoder.model.{rename_wavlm(name)}": value for name, value in wavlm.items()} | weights, assign=True
        )
    except RuntimeError as error:
        raise MeritError(f"{source}: the weights in the files do not fit together: {error}") from error
    return model, description


@contextmanager
def _shapes_as_expected(source: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise MeritError(
            f"{source}: a tensor of the authors' Sparse MERIT is missing or has another shape ({error}); "
            f"expected {', '.join(WEIGHTS)} of one training"
        ) from error


def _renamed(state: Mapping[str, Tensor], names: Mapping[str, str | None], path: Path) -> dict[str, Tensor]:
    renamed = {}
    for name, value in state.items():
        matches = [(match, ours) for pattern, ours in names.items() if (match := re.fullmatch(pattern, name))]
        if not matches:
            raise MeritError(f"{path}: {name} is not of the authors' Sparse MERIT; is it another of their models?")
        match, ours = matches[0]
        if ours is not None:
            renamed[match.expand(ours)] = value
    return renamed


def _stack_layer_norms(weights: dict[str, Tensor]) -> None:
    """Put in place of ``layer_norms.l.weight`` (D,) and ``bias`` of each layer one tensor (L, D) for all."""
    for part in ("weight", "bias"):
        layers = sum(re.fullmatch(rf"layer_norms\.\d+\.{part}", name) is not None for name in weights)
        stacked = [weights.pop(f"layer_norms.{layer}.{part}") for layer in range(layers)]
        weights[f"front_end.norm.{part}"] = torch.stack(stacked)


def _older_weight_norm(name: str) -> str:
    """The name under torch's older weight_norm, as unilm has it; the release's copy of unilm has the newer one."""
    for newer, older in (("original0", "weight_g"), ("original1", "weight_v")):
        name = name.replace(f".parametrizations.weight.{newer}", f".{older}")
    return name


def _wavlm_settings(wavlm: Mapping[str, Tensor]) -> dict:
    """transformers' settings of the WavLM that has these tensors."""
    layers = len(_WAVLM_LARGE["conv_stride"])
    convolutions = [wavlm[f"feature_extractor.conv_layers.{layer}.0.weight"].shape for layer in range(layers)]
    hidden_size, group_size, kernel = wavlm["encoder.pos_conv.0.weight_v"].shape
    return _WAVLM_LARGE | {
        "hidden_size": hidden_size,
        "num_hidden_layers": sum(name.endswith(".self_attn.grep_a") for name in wavlm),
        "num_attention_heads": wavlm["encoder.layers.0.self_attn.grep_a"].shape[1],
        "intermediate_size": len(wavlm["encoder.layers.0.fc1.bias"]),
        "conv_dim": [shape[0] for shape in convolutions],
        "conv_kernel": [shape[2] for shape in convolutions],
        "num_conv_pos_embeddings": kernel,
        "num_conv_pos_embedding_groups": hidden_size // group_size,
        "num_buckets": len(wavlm["encoder.layers.0.self_attn.relative_attention_bias.weight"]),
    }
