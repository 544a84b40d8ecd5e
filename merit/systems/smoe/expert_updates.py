"""How often and how far training has moved each expert: one that is behind was trained less."""

import json
from collections.abc import Sequence
from pathlib import Path

from accelerate.utils import set_seed

from merit.errors import MeritError
from merit.systems.smoe.smoe_description import build_model, load_model, read_smoe_description
from merit.training.run_state import load_state

UNEVEN = 1.5
"""Experts of one side that differ by more than this factor are flagged."""


def expert_updates(directory: Path) -> list[dict[str, float | str | int]]:
    """One row for each expert of each side of a model that has several.

    Updates are those that Adam counts, of the first parameter of the expert, averaged over the blocks. The distance is
    the root mean square of what training has added to the expert's weights: from those that the seed of the run gave
    them, or that it was upcycled with, to those of the last saved state.

    Args:
        directory: of a run, with its ``last.pt``.

    Raises:
        MeritError: when there is no such state.
    """
    state = load_state(directory)
    if state is None:
        raise MeritError(f"{directory / 'last.pt'}: not there; the optimiser's counts are in it, train again")
    run = json.loads((directory / "config.json").read_text())["run"]
    description = read_smoe_description(directory)
    set_seed(run["seed"])
    model = build_model(description)
    if "upcycle_from" in run:
        model.upcycle(load_model(directory.parent / run["upcycle_from"].split()[0])[0])
    numbers = {name: number for number, (name, _) in enumerate(model.named_parameters())}
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    adam = state["optimizer"]["state"]
    found: dict[tuple[str, int], list[tuple[float, float, int]]] = {}
    for layer in model.routed_layers():
        if len(layer.experts) < 2:
            continue
        for place, expert in enumerate(layer.experts):
            parameters = [(names[id(parameter)], parameter) for parameter in expert.parameters()]
            moved = sum(
                (state["model"][name] - parameter).double().square().sum().item() for name, parameter in parameters
            )
            size = sum(parameter.numel() for _, parameter in parameters)
            steps = adam.get(numbers[parameters[0][0]], {}).get("step", 0.0)
            found.setdefault((layer.name.split()[0], place), []).append((float(steps), moved, size))
    return [
        {
            "side": side,
            "expert": place,
            "updates": sum(steps for steps, *_ in layers) / len(layers),
            "distance": (sum(moved for _, moved, _ in layers) / sum(size for *_, size in layers)) ** 0.5,
        }
        for (side, place), layers in found.items()
    ]


def uneven(rows: Sequence[dict[str, float | str | int]]) -> list[str]:
    """What of the rows is unhealthy, in words."""
    found = []
    for side in dict.fromkeys(row["side"] for row in rows):
        for name in ("updates", "distance"):
            values = [row[name] for row in rows if row["side"] == side]
            if max(values) > UNEVEN * min(values):
                ratio = max(values) / min(values) if min(values) else float("inf")
                found.append(f"{name} of the {side}'s experts differ by a factor of {ratio:.2f}")
    return found
