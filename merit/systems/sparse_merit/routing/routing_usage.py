"""How often the gates choose each expert, counted frame by frame: on the dev set in training, and on decoded tests.

Counts are tensors by name, so that they can be added over batches, processes and utterances: ``usage_<task>`` (N,)
for each gate, ``frames`` (1,), and with several gates ``agreement`` (1,). Of gates that keep more than one expert
(top-K, dense) the strongest alone is counted.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from merit.nets.gate import Routing
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.routing.routing_health import health_warnings


def count_strongest(strongest: Mapping[str, Tensor], num_experts: int) -> dict[str, Tensor]:
    """Count frames by the expert that got them.

    Args:
        strongest: gate (by its task) -> strongest expert of every frame (F,), the same frames for all gates.
        num_experts: N.

    Returns:
        the counts, int64 on the device of the experts.
    """
    counts = {f"usage_{task}": torch.bincount(experts, minlength=num_experts) for task, experts in strongest.items()}
    first, *others = strongest.values()
    counts["frames"] = first.new_full((1,), len(first))
    if others:
        counts["agreement"] = torch.stack([first == experts for experts in others]).all(dim=0).sum().reshape(1)
    return counts


def routing_counts(routing: Sequence[Routing]) -> dict[str, Tensor]:
    """Counts of one batch; empty without routing. Padded frames are left out."""
    if not routing:
        return {}
    strongest = {gate.name: gate.weights[gate.mask].argmax(dim=-1) for gate in routing}
    return count_strongest(strongest, routing[0].weights.shape[-1])


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
    shares = {name: (value.double() / counts["frames"]).tolist() for name, value in counts.items() if name != "frames"}
    (agreement,) = shares.pop("agreement", [None])
    agreement = None if config.shared_gate else agreement
    return health_warnings({name.removeprefix("usage_"): value for name, value in shares.items()}, agreement)
