"""GradNorm (Chen et al. 2018): task weights that make all tasks train at similar rates."""

import torch
from torch import Tensor


def gradnorm_loss(weights: Tensor, norms: Tensor, losses: Tensor, initial_losses: Tensor, alpha: float) -> Tensor:
    """``sum_t |G_t - mean(G) r_t^alpha|`` (their Eq. 2), to be minimised over ``weights`` alone.

    ``G_t = w_t n_t`` is the norm of the weighted loss's gradient at the last shared layer, ``r_t`` the task's inverse
    training rate, its ``L_t / L_t(0)`` relative to the mean over tasks. The target is a constant.

    Args:
        weights: (K,) task weights w, with gradient.
        norms: (K,) norms n of the unweighted losses' gradients.
        losses, initial_losses: (K,) losses now and at the first step.
        alpha: strength of the pull towards equal rates.
    """
    weighted = weights * norms
    progress = losses / initial_losses
    target = (weighted.mean() * (progress / progress.mean()) ** alpha).detach()
    return (weighted - target).abs().sum()


@torch.no_grad()
def renormalise(weights: Tensor) -> None:
    """Scale ``weights`` (K,) in place so that they add up to K again; none may have become negative."""
    weights.clamp_min_(1e-3)
    weights.mul_(len(weights) / weights.sum())
