"""Load balancing of the experts (Switch Transformer, Fedus et al. 2022, Eq. 4 to 6; paper section V-E)."""

from torch import Tensor
from torch.nn import functional

from merit.nets.gate import Routing


def switch_balancing_loss(routing: Routing) -> Tensor:
    """``N * sum_n f_n P_n`` of one gate: 1 when experts are used evenly, N when one takes all.

    f_n is the fraction of frames whose most probable expert is n (no gradient), P_n the mean probability of n. Both
    are taken over real frames only; padding would pull the loss towards 1. The factor alpha is the caller's.
    """
    probabilities = routing.probabilities[routing.mask]
    num_experts = probabilities.shape[-1]
    used = functional.one_hot(probabilities.argmax(dim=-1), num_experts).to(probabilities.dtype).mean(dim=0)
    return num_experts * (used * probabilities.mean(dim=0)).sum()
