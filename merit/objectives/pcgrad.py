"""Projecting conflicting gradients (PCGrad, Yu et al. 2020, Algorithm 1; paper section IV-C)."""

from collections.abc import Sequence

import torch
from torch import Tensor


def gram_matrix(gradients: Sequence[Sequence[Tensor | None]]) -> Tensor:
    """Inner products (K, K) of K tasks' gradients over the parameters that more than one task reaches.

    Args:
        gradients: for each task the gradient of every parameter, None where the task does not reach it.
    """
    first = next(gradient for task in gradients for gradient in task if gradient is not None)
    products = torch.zeros(len(gradients), len(gradients), dtype=torch.float64, device=first.device)
    for by_task in zip(*gradients, strict=True):
        reached = [k for k, gradient in enumerate(by_task) if gradient is not None]
        if len(reached) > 1:
            flat = torch.stack([by_task[k].flatten().float() for k in reached])
            index = torch.tensor(reached, device=first.device)
            products[index.unsqueeze(1), index] += (flat @ flat.T).double()
    return products


def projection_weights(products: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Weights (K,) whose combination of the K gradients is the sum of the projected ones.

    Each task's gradient loses its component against every other task's original gradient that it conflicts with, in
    random order; the projected gradients are summed. All of that happens in the span of the K gradients, so their
    inner products are enough and no projected copy is held.

    Args:
        products: (K, K) inner products of the gradients.
        generator: of the random order, which matters from three tasks on.
    """
    count = len(products)
    total = torch.zeros_like(products[0])
    for task in range(count):
        weights = torch.zeros_like(total)
        weights[task] = 1.0
        for other in torch.randperm(count, generator=generator).tolist():
            overlap = weights @ products[:, other]
            if other != task and overlap < 0:
                weights[other] -= overlap / products[other, other]
        total += weights
    return total


def combine(gradients: Sequence[Sequence[Tensor | None]], generator: torch.Generator | None = None) -> list[Tensor]:
    """The gradient of every parameter after PCGrad; the host waits for the device once, for the inner products.

    Only parameters that more than one task reaches are projected; a task's own head keeps its gradient.

    Args:
        gradients: for each task the gradient of every parameter, None where the task does not reach it; no parameter
            is None for all.
    """
    weights = projection_weights(gram_matrix(gradients).cpu(), generator).tolist()
    combined = []
    for by_task in zip(*gradients, strict=True):
        reached = [(weight, gradient) for weight, gradient in zip(weights, by_task) if gradient is not None]
        combined.append(sum(w * g for w, g in reached) if len(reached) > 1 else reached[0][1])
    return combined
