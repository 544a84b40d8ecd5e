"""What a run leaves on disk: the model directory for use, and the state to go on from.

``config.json``        what the model is, how it was trained (written first)
``model.safetensors``  weights of the best epoch
``last.pt``            weights, optimiser and position of the newest saved state
``history.csv``        one row an epoch
"""

import csv
import io
import json
import math
from argparse import ArgumentError
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jsonargparse import ArgumentParser
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from merit.data.statistics import WaveformStatistics
from merit.data.tensors import save_tensors
from merit.device import ResolvedPrecision
from merit.errors import MeritError, brief
from merit.files import atomic_path, write_text
from merit.nets.model import MeritModel, ModelConfig
from merit.nets.ssl import SpeechEncoder, build_encoder


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


def describe_run(description: ModelDescription, run: dict) -> str:
    """The text of ``config.json``: the description and the options of the run."""
    return json.dumps({"description": asdict(description), "run": run}, indent=2, default=str) + "\n"


def start_run(output: Path, description: ModelDescription, run: dict) -> None:
    """Write ``config.json`` of a new run, or check that a run already there is the same one.

    Only options that change the result make a run another one; more epochs or other micro-batches do not. Of the
    precision it is what was computed in that counts, whether it was asked for or is the fast one of the machine.

    Raises:
        MeritError: when ``output`` holds a run with another configuration; names what differs.
    """
    for left_behind in output.glob(".*.tmp.*"):  # half a file, of a run that was killed while it wrote
        left_behind.unlink()
    path = output / "config.json"
    text = describe_run(description, run)
    trained = (output / "last.pt").exists() or (output / "model.safetensors").exists()
    if not path.exists() or not trained:
        # A run that never got to a result may be replaced by any other.
        write_text(path, text)
        return
    try:
        found, wanted = _flat(json.loads(path.read_text())), _flat(json.loads(text))
    except ValueError as error:
        raise MeritError(f"{path}: damaged ({error}); restore it, or remove {output} to train anew") from error
    if found.get("description.precision") is None:  # a run of before this was kept
        asked = found.get("run.training.precision", "auto")
        found["description.precision"] = wanted["description.precision"] if asked == "auto" else asked
    if "run.training.keep" in found:
        found.setdefault("run.training.select", "losses")  # likewise
    free = ("epochs", "patience", "micro_batch_size", "micro_batch_seconds", "workers", "checkpoint_minutes")
    free += ("gradient_checkpointing", "compile")
    differ = [
        name
        for name in sorted(found.keys() | wanted.keys())
        if name.split(".")[-1] not in free and name != "run.training.precision" and found.get(name) != wanted.get(name)
    ]
    if differ:
        lines = "\n".join(f"  {name}: there {found.get(name)!r}, now {wanted.get(name)!r}" for name in differ)
        if differ == ["description.precision"]:
            lines += f"\nGo on in the precision it began in with --training.precision {found[differ[0]]}, or:"
        raise MeritError(
            f"{path}: a run with another configuration is here, it cannot be continued with this one:\n{lines}\n"
            "Choose another output directory (--tag in the recipes), or remove this one to start anew"
        )
    write_text(path, text)  # with the options that may change, as they are now


def _flat(tree: object, prefix: str = "") -> dict[str, object]:
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {
        name: value for key, sub in tree.items() for name, value in _flat(sub, f"{prefix}.{key}".lstrip(".")).items()
    }


def read_description(directory: Path) -> ModelDescription:
    """The description in a model directory.

    Raises:
        MeritError: when the directory holds no trained model.
    """
    path = Path(directory) / "config.json"
    if not path.exists():
        raise MeritError(
            f"{directory}: no config.json; expected the directory of a trained model, as exp/sparse_merit-7"
        )
    try:
        parser = ArgumentParser(exit_on_error=False)
        parser.add_class_arguments(ModelDescription)
        found = parser.parse_object(json.loads(path.read_text())["description"]).as_dict()  # of the types it must have
        model, statistics = ModelConfig(**found.pop("model")), WaveformStatistics(**found.pop("statistics"))
        return ModelDescription(model=model, statistics=statistics, **found)
    except (ArgumentError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise MeritError(
            f"{path}: not the configuration of a trained MERIT model ({brief(error)}); give a directory such as "
            "exp/sparse_merit-7"
        ) from error


def build_model(description: ModelDescription, encoder: SpeechEncoder | None) -> MeritModel:
    """A model of this description around an encoder, with fresh front end and heads."""
    return MeritModel(
        description.model, description.num_states, description.hidden_size, len(description.classes), encoder
    )


def load_weights(directory: Path) -> dict[str, torch.Tensor]:
    """Weights of the best epoch.

    Raises:
        MeritError: when they are missing or damaged.
    """
    path = Path(directory) / "model.safetensors"
    if not path.exists():
        raise MeritError(f"{path}: not there; train it first, or wait until its first epoch is done")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise MeritError(f"{path}: damaged ({error}); train again or copy the file again") from error


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
    _load(model, load_weights(directory), Path(directory) / "model.safetensors")
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
        of_part = {name[len(part) + 1 :]: value for name, value in weights.items() if name.startswith(f"{part}.")}
        if of_part and getattr(model, part) is not None:
            _load(getattr(model, part), of_part, Path(directory) / "model.safetensors")


def _load(module: nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    for name, value in weights.items():
        # The extremes tell it in a thirtieth of the time of isfinite, which writes a truth value for each number.
        if value.numel() and not all(math.isfinite(extreme) for extreme in torch.aminmax(value)):
            raise MeritError(f"{path}: {name} holds NaN or infinity; copy the file again, or train the model again")
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise MeritError(
            f"{path}: the weights do not fit the configuration of the model ({brief(error)}); give a model of "
            "these sizes, or copy both files of this one again"
        ) from error


def save_weights(model: nn.Module, directory: Path) -> None:
    """Write ``model.safetensors`` in one step."""
    weights = {name: value.detach().contiguous().cpu() for name, value in model.state_dict().items()}
    save_tensors(weights, directory / "model.safetensors")


def save_history(rows: list[dict[str, float]], directory: Path) -> None:
    """Write ``history.csv``: one row an epoch, all with the same columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[-1]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(directory / "history.csv", text.getvalue())


def save_state(state: dict, directory: Path) -> None:
    """Write ``last.pt`` in one step."""
    with atomic_path(directory / "last.pt") as temporary:
        try:
            torch.save(state, temporary)
        except RuntimeError as error:  # torch's word for a full disk
            raise MeritError(
                f"{directory / 'last.pt'}: not written whole; the disk is most likely full, or the quota used up; free "
                f"some space and run the same command again ({error})"
            ) from error


def load_state(directory: Path) -> dict | None:
    """The state to go on from, or None when there is none.

    Raises:
        MeritError: when it is damaged.
    """
    path = directory / "last.pt"
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader raises anything from EOFError to IndexError
        # What it says is left out: of a file with more than tensors it is the advice to run the code in it.
        raise MeritError(f"{path}: damaged ({type(error).__name__}); remove it to train from the start") from error
    if not isinstance(state, dict):
        kind = type(state).__name__
        raise MeritError(f"{path}: a {kind}, not a state of this run; remove it to train from the start")
    return state
