"""How the gates use the experts, counted frame by frame over the dev set."""

from collections.abc import Sequence

import torch
from torch import Tensor

from merit.nets.gate import Routing
from merit.systems.sparse_merit.model import ModelConfig
from merit.systems.sparse_merit.routing.routing_health import health_warnings


def routing_counts(routing: Sequence[Routing]) -> dict[str, Tensor]:
    """Frames in which each gate's strongest expert is n, and in which the gates agree, of one batch.

    Returns:
        ``usage_<task>`` (N,) for each gate, ``frames`` (1,), and with two gates ``agreement`` (1,); empty without
        routing. They add up over batches and processes.
    """
    if not routing:
        return {}
    strongest = [of_gate.weights[of_gate.mask].argmax(dim=-1) for of_gate in routing]
    counts = {
        f"usage_{of_gate.name}": torch.bincount(experts, minlength=of_gate.weights.shape[-1])
        for of_gate, experts in zip(routing, strongest)
    }
    counts["frames"] = routing[0].mask.sum().reshape(1)
    if len(strongest) == 2:
        counts["agreement"] = (strongest[0] == strongest[1]).sum().reshape(1)
    return counts


def routing_shares(counts: dict[str, Tensor]) -> dict[str, float]:
    """Columns of a run's history from added counts: ``usage_<task>_<n>`` and ``agreement``, as shares of the frames."""
    shares = {}
    for name, value in counts.items():
        if name != "frames":
            values = (value / counts["frames"]).tolist()
            shares |= {name: values[0]} if name == "agreement" else {f"{name}_{n}": v for n, v in enumerate(values)}
    return shares


def routing_warnings(counts: dict[str, Tensor], config: ModelConfig) -> list[str]:
    """What is unhealthy about added counts; see :func:`.routing_health.health_warnings`.

    A dense model uses all experts in every frame, and a shared gate agrees with itself: neither is warned about.
    """
    if config.top_k is None:
        return []
    shares = {name: (value / counts["frames"]).tolist() for name, value in counts.items() if name != "frames"}
    (agreement,) = shares.pop("agreement", [None])
    agreement = None if config.shared_gate else agreement
    return health_warnings({name.removeprefix("usage_"): value for name, value in shares.items()}, agreement)
