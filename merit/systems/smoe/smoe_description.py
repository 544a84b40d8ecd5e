"""What a trained model is, and building it again."""

from dataclasses import dataclass
from pathlib import Path

from merit.device import ResolvedPrecision
from merit.errors import MeritError
from merit.files import sha256
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.speech_to_text_model import SpeechToText
from merit.systems.smoe.vocabulary import Vocabulary
from merit.training.model_directory import load_into, load_weights, read_model_description

VOCABULARY = "vocabulary.model"
"""The vocabulary of a model, beside its weights."""


@dataclass
class SmoeDescription:
    """All that is needed to build a trained model again.

    Attributes:
        model: its sizes and experts.
        vocabulary_size: V.
        vocabulary_sha256: of the file of the vocabulary.
        task_tags: number of the tag of each task.
        languages: task -> language of its texts.
        precision: what the model was computed in when it was trained.
    """

    model: SmoeModelConfig
    vocabulary_size: int
    vocabulary_sha256: str
    task_tags: list[int]
    languages: dict[str, str]
    precision: ResolvedPrecision | None = None


def build_model(description: SmoeDescription) -> SpeechToText:
    """A model of this description with fresh weights."""
    return SpeechToText(description.model, description.vocabulary_size, description.task_tags)


def read_smoe_description(directory: Path) -> SmoeDescription:
    """The description in a model directory.

    Raises:
        MeritError: when the directory holds no such model.
    """
    return read_model_description(directory, SmoeDescription, "S-MoE", "exp/encdec_smoe-7")


def load_model(directory: Path) -> tuple[SpeechToText, SmoeDescription, Vocabulary]:
    """A trained model in evaluation mode, and its vocabulary.

    Raises:
        MeritError: when the directory holds none, or the vocabulary in it is another one's.
    """
    directory = Path(directory)
    description = read_smoe_description(directory)
    path = directory / VOCABULARY
    vocabulary = Vocabulary(path)
    if sha256(path) != description.vocabulary_sha256:
        raise MeritError(
            f"{path}: not the vocabulary that the model was trained with (sha256 "
            f"{description.vocabulary_sha256[:16]}...); put that one back"
        )
    model = build_model(description)
    load_into(model, load_weights(directory), directory / "model.safetensors")
    return model.eval(), description, vocabulary
