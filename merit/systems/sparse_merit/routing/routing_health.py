"""Whether the gates of a model still choose: limits on agreement and expert usage, and what is said beyond them."""

from collections.abc import Mapping, Sequence

HIGHEST_AGREEMENT = 0.9
"""Gates that agree on more frames are one gate in two places."""
HIGHEST_USAGE = 0.95
"""A gate that sends more of its frames to one expert has stopped choosing."""
LOWEST_USAGE = 0.05
"""An expert with less of a gate's frames hardly learns from that gate's task."""


def health_warnings(usage: Mapping[str, Sequence[float]], agreement: float | None = None) -> list[str]:
    """What is unhealthy about the routing of a model, one sentence each; nothing for a single expert.

    Args:
        usage: gate (by its task) -> share of the frames that each of the N experts gets, from 0 to 1. Experts are
            counted from 0, as in the paper.
        agreement: share of the frames on which the gates choose the same expert; None where there is one gate.

    Raises:
        ValueError: when the shares of a gate do not add up to 1.
    """
    warnings = []
    num_experts = max(map(len, usage.values()), default=0)
    if agreement is not None and num_experts > 1 and agreement > HIGHEST_AGREEMENT:
        gates = " and ".join(usage)
        warnings.append(f"the {gates} gates choose the same expert on {agreement:.1%} of the frames")
    for task, values in usage.items():
        shares = [float(value) for value in values]
        if abs(sum(shares) - 1) > 1e-3:
            raise ValueError(f"the usage of the {task} gate adds up to {sum(shares):.4f} instead of 1")
        if len(shares) == 1:
            continue
        largest = max(shares)
        if largest > HIGHEST_USAGE:
            warnings.append(f"the {task} gate sends {largest:.1%} of the frames to expert {shares.index(largest)}")
        if rare := [f"expert {n} ({share:.1%})" for n, share in enumerate(shares) if share < LOWEST_USAGE]:
            warnings.append(f"the {task} gate gives less than {LOWEST_USAGE:.0%} of the frames to {', '.join(rare)}")
    return warnings
