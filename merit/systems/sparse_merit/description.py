"""What a run leaves on disk: the model directory for use, and the state to go on from.

``config.json``        what the model is, how it was trained (written first)
``model.safetensors``  weights of the best epoch
``last.pt``            weights, optimiser and position of the newest saved state
``history.csv``        one row an epoch
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from merit.data.statistics import WaveformStatistics
from merit.device import ResolvedPrecision
from merit.errors import MeritError, brief
from merit.nets.ssl import SpeechEncoder, build_encoder
from merit.systems.sparse_merit.model import MeritModel
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.training.model_directory import load_into, load_weights, read_model_description


@dataclass
class ModelDescription:
    """All that is needed to build a trained model again, without the encoder's original files.

    Attributes:
        model: front end and heads.
        classes: emotion names in the order of the outputs.
        num_states, hidden_size: L and D of the encoder.
        statistics: normalisation of the waveforms.
        ssl: the directory, file or hub name that the encoder came from.
        ssl_fingerprint: of the weights it had.
        encoder: its architecture, or None for a model of phase 1, which holds no encoder.
        precision: what it was computed in when it was trained; None for a model of before this was kept.
    """

    model: ModelConfig
    classes: list[str]
    num_states: int
    hidden_size: int
    statistics: WaveformStatistics
    ssl: str
    ssl_fingerprint: str
    encoder: dict | None
    precision: ResolvedPrecision | None = None


def read_description(directory: Path) -> ModelDescription:
    """The description in a model directory.

    Raises:
        MeritError: when the directory holds no trained model.
    """
    return read_model_description(directory, ModelDescription, "MERIT", "exp/sparse_merit-7")


def build_model(description: ModelDescription, encoder: SpeechEncoder | None) -> MeritModel:
    """A model of this description around an encoder, with fresh front end and heads."""
    return MeritModel(
        description.model, description.num_states, description.hidden_size, len(description.classes), encoder
    )


def load_model(directory: Path) -> tuple[MeritModel, ModelDescription]:
    """A trained model with its encoder, in evaluation mode.

    Raises:
        MeritError: when the directory holds none, or one of phase 1.
    """
    description = read_description(directory)
    if description.encoder is None:
        raise MeritError(f"{directory}: a head of phase 1, without encoder; give the directory of phase 2")
    try:
        model = build_model(description, build_encoder(description.encoder))
    except MeritError:
        raise
    except Exception as error:  # transformers and torch raise anything for a size that cannot be
        raise MeritError(
            f"{Path(directory) / 'config.json'}: no model can be made of it ({brief(error)}); restore it, or train "
            "again"
        ) from error
    load_into(model, load_weights(directory), Path(directory) / "model.safetensors")
    return model.eval(), description


def load_head(model: MeritModel, task: str, directory: Path) -> None:
    """Copy the head of ``task`` from a phase-1 directory into ``model``, and where it fits the sum that it has learnt.

    It fits a weighted sum for this task alone. Two tasks on one sum begin with a new one, since each of their heads has
    learnt another, as those on experts begin with new experts.

    Raises:
        MeritError: when that head, or its sum, has other sizes.
    """
    parts = [f"{task}_head"]
    if model.config.front_end == "weighted_sum" and model.config.tasks == (task,):
        if read_description(directory).model.front_end == "weighted_sum":
            parts.append("front_end")
    _load_parts(model, parts, directory)


def load_parts(model: MeritModel, directory: Path) -> None:
    """Copy encoder, front end and heads from a trained model into ``model``, each part that both have.

    Raises:
        MeritError: when that model has no encoder, or a part with other sizes.
    """
    if read_description(directory).encoder is None:
        raise MeritError(f"{directory}: a head of phase 1, without encoder; give the directory of a whole model")
    _load_parts(model, ("encoder", "front_end", "emotion_head", "enhancement_head"), directory)


def _load_parts(model: MeritModel, parts: Sequence[str], directory: Path) -> None:
    """Copy those of the parts that both have."""
    weights = load_weights(directory)
    for part in parts:
        part_weights = {name[len(part) + 1 :]: value for name, value in weights.items() if name.startswith(f"{part}.")}
        if part_weights and getattr(model, part) is not None:
            load_into(getattr(model, part), part_weights, Path(directory) / "model.safetensors")
