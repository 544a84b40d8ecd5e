"""What a trained model is, and building it again."""

from dataclasses import dataclass, field
from pathlib import Path

from merit.data.statistics import WaveformStatistics
from merit.device import ResolvedPrecision
from merit.errors import MeritError
from merit.nets.ssl import SpeechEncoder, build_encoder, load_encoder
from merit.systems.moe_mos.model_config import MosModelConfig
from merit.systems.moe_mos.quality_model import MosNetwork
from merit.training.model_directory import load_into, load_weights, read_model_description


@dataclass
class MosDescription:
    """All that is needed to build a trained model again.

    Attributes:
        model: between the encoder and the outputs.
        classes: generating systems in the order of the outputs.
        num_states, hidden_size: L and D of the encoder.
        statistics: normalisation of the waveforms.
        ssl: the directory, file or hub name that the encoder came from.
        ssl_fingerprint: of the weights it had.
        encoder: its architecture when it was trained and lies beside the model; None when it stayed as it was.
        precision: what the model was computed in when it was trained.
        listeners: those who have an embedding, in its order after the mean listener.
    """

    model: MosModelConfig
    classes: list[str]
    num_states: int
    hidden_size: int
    statistics: WaveformStatistics
    ssl: str
    ssl_fingerprint: str
    encoder: dict | None
    precision: ResolvedPrecision
    listeners: list[str] = field(default_factory=list)


def build_model(description: MosDescription, encoder: SpeechEncoder | None) -> MosNetwork:
    """A model of this description with fresh weights, around an encoder or without one."""
    sizes = (description.num_states, description.hidden_size, len(description.classes), len(description.listeners))
    return MosNetwork(description.model, *sizes, encoder)


def read_description(directory: Path) -> MosDescription:
    """The description in a model directory.

    Raises:
        MeritError: when the directory holds no such model.
    """
    return read_model_description(directory, MosDescription, "MoE-MOS", "exp/moe_mos-7")


def load_model(directory: Path) -> tuple[MosNetwork, MosDescription]:
    """A trained model in evaluation mode; without an encoder when that was frozen.

    Raises:
        MeritError: when the directory holds none.
    """
    description = read_description(directory)
    model = build_model(description, None if description.encoder is None else build_encoder(description.encoder))
    load_into(model, load_weights(directory), Path(directory) / "model.safetensors")
    return model.eval(), description


def frozen_encoder(description: MosDescription, directory: Path, ssl: str | None = None) -> SpeechEncoder:
    """The encoder that a model was trained on and that does not lie beside it.

    Args:
        description: of the model.
        directory: of the model, for messages.
        ssl: where the encoder lies now; None where it was.

    Raises:
        MeritError: when it is not there, or has other weights.
    """
    source = ssl or description.ssl
    encoder = load_encoder(source)
    if encoder.fingerprint() != description.ssl_fingerprint:
        raise MeritError(
            f"{source}: not the encoder that {directory} was trained on, which was {description.ssl} (sha256 "
            f"{description.ssl_fingerprint[:16]}...); give that one (--ssl)"
        )
    return encoder
