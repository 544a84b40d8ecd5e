"""What a run leaves on disk: the model directory for use, and the state to go on from.

``config.json``        what the model is, how it was trained (written first)
``model.safetensors``  weights of the best epoch, or the mean of several epochs
``weights/``           weights of the epochs of which that is the mean
``last.pt``            weights, optimiser and position of the newest saved state
``history.csv``        one row an epoch
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from merit.data.tensors import save_tensors
from merit.errors import MeritError
from merit.files import atomic_path, csv_text, write_text


def describe_run(description: object, run: dict) -> str:
    """The text of ``config.json``: the description and the options of the run."""
    return json.dumps({"description": asdict(description), "run": run}, indent=2, default=str) + "\n"


EARLIER_RUNS = {
    "run.training.average": 1,
    "run.training.schedule": "constant",
    "run.training.warmup_steps": 0,
    "run.training.freeze": [],
    "run.training.adam_beta2": 0.999,
}
"""What runs did whose ``config.json`` does not have an option yet."""


def start_run(output: Path, description: object, run: dict, earlier_runs: Mapping[str, object] = EARLIER_RUNS) -> None:
    """Write ``config.json`` of a new run, or check that a run already there is the same one.

    Only options that change the result make a run another one; more epochs or other micro-batches do not. Where the
    description has a ``precision``, what was computed in, that counts, whether it was asked for or is the fast one of
    the machine; else the one that was asked for does.

    Args:
        output: directory of the run.
        description: a dataclass that says what the model is.
        run: options of the run.
        earlier_runs: what runs did whose ``config.json`` lacks an option, by the path of the option.

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
    resolved = "description.precision" in wanted  # else what was asked for counts
    if resolved and found.get("description.precision") is None:  # a run of before this was kept
        asked = found.get("run.training.precision", "auto")
        found["description.precision"] = wanted["description.precision"] if asked == "auto" else asked
    found = {name: value for name, value in earlier_runs.items() if name in wanted} | found
    free = ("epochs", "patience", "micro_batch_size", "micro_batch_seconds", "workers", "checkpoint_minutes")
    free += ("gradient_checkpointing", "compile")
    asked_for = "run.training.precision" if resolved else None
    differ = [
        name
        for name in sorted(found.keys() | wanted.keys())
        if name.split(".")[-1] not in free and name != asked_for and found.get(name) != wanted.get(name)
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


def save_weights(model: nn.Module, directory: Path) -> None:
    """Write ``model.safetensors`` in one step."""
    save_tensors(_weights(model), directory / "model.safetensors")


def save_average(model: nn.Module, directory: Path, epoch: int, epochs: Sequence[int]) -> None:
    """Keep the weights of ``epoch``, and write the mean of those of ``epochs``, one of which it is.

    The weights of all other epochs are removed afterwards.
    """
    folder = directory / "weights"
    paths = {number: folder / f"epoch{number}.safetensors" for number in epochs}
    save_tensors(_weights(model), paths[epoch])
    mean: dict[str, torch.Tensor] = {}
    for path in paths.values():
        for name, value in load_file(path).items():
            mean[name] = mean.get(name, 0.0) + value.double() / len(paths)
    types = {name: value.dtype for name, value in model.state_dict().items()}
    save_tensors({name: value.to(types[name]) for name, value in mean.items()}, directory / "model.safetensors")
    for path in set(folder.glob("epoch*.safetensors")) - set(paths.values()):
        path.unlink()


def _weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().contiguous().cpu() for name, value in model.state_dict().items()}


def save_history(rows: list[dict[str, float]], directory: Path) -> None:
    """Write ``history.csv``: one row an epoch, all with the same columns."""
    columns = list(rows[-1])
    write_text(directory / "history.csv", csv_text(columns, ([row.get(name) for name in columns] for row in rows)))


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
