"""Experts forward and backward: the union of both gates' choices against dense, two passes and grouped_mm.

All four compute paper Eq. 6 for two top-1 gates that choose independently and evenly, so that 1.67 experts work on a
frame; they must agree to 1e-5 of the largest value in outputs and gradients before anything is timed.
"""

import torch
from measure import chosen_device, report, seconds
from torch import Tensor
from torch.nn import functional

from merit.device import compute_dtype
from merit.errors import MeritError
from merit.nets.experts import Experts
from merit.systems.sparse_merit.front_end import feed_forward

TASKS, EXPERTS = 2, 3


def dense(experts: Experts, frames: Tensor, weights: Tensor) -> Tensor:
    """Every expert computes every frame, and zero weights drop what was not chosen."""
    outputs = torch.stack([expert(frames) for expert in experts], dim=1)
    return torch.einsum("fgn,fnd->fgd", weights, outputs.to(weights.dtype))


def two_passes(experts: Experts, frames: Tensor, weights: Tensor) -> Tensor:
    """Each gate sends its frames to the experts on its own; a frame that both send to one expert is computed twice."""
    passes = []
    for task in range(weights.shape[1]):
        output = weights.new_zeros(len(frames), experts[0][-1].out_features)
        for n, expert in enumerate(experts):
            rows = weights[:, task, n].nonzero().squeeze(1)
            values = expert(frames.index_select(0, rows)).to(weights.dtype)
            output = output.index_add(0, rows, values * weights[rows, task, n, None])
        passes.append(output)
    return torch.stack(passes, dim=1)


def grouped_mm(experts: Experts, frames: Tensor, weights: Tensor) -> Tensor:
    """The union in one grouped matrix product for each of the two layers."""
    chosen = weights.ne(0).any(dim=1).t()
    expert, rows = chosen.nonzero(as_tuple=True)
    ends = chosen.sum(dim=1).cumsum(0).to(torch.int32)
    dtype = compute_dtype(frames)
    hidden = frames.index_select(0, rows).to(dtype)
    for layer in (0, 2):
        matrices = torch.stack([network[layer].weight for network in experts]).to(dtype)
        biases = torch.stack([network[layer].bias for network in experts]).to(dtype)
        hidden = functional.grouped_mm(hidden, matrices.transpose(1, 2), offs=ends) + biases[expert]
        hidden = functional.relu(hidden) if layer == 0 else hidden
    values = weights[rows, :, expert].unsqueeze(-1) * hidden.to(weights.dtype).unsqueeze(1)
    return weights.new_zeros(*weights.shape[:2], hidden.shape[-1]).index_add(0, rows, values)


def union(experts: Experts, frames: Tensor, weights: Tensor) -> Tensor:
    """What MERIT does."""
    return experts(frames, weights)


def routed_weights(num_frames: int, device: torch.device) -> Tensor:
    """Weights (F, 2, 3) of two independent top-1 gates."""
    probabilities = torch.softmax(torch.randn(num_frames, TASKS, EXPERTS, device=device), dim=-1)
    chosen = functional.one_hot(probabilities.argmax(-1), EXPERTS)
    return (probabilities * chosen).requires_grad_()


def main() -> None:
    """Print the rows."""
    device = chosen_device(__doc__)
    torch.manual_seed(0)
    # On a GPU 32 utterances of 11 s and the paper's sizes; on a CPU 16 s of audio and an encoder like WavLM Base.
    num_states, size, width, num_frames = (25, 1024, 4096, 17600) if device.type == "cuda" else (13, 768, 3072, 800)
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    experts = Experts(feed_forward(num_states * size, width, size) for _ in range(EXPERTS)).to(device)
    frames = torch.randn(num_frames, num_states * size, device=device, dtype=dtype, requires_grad=True)
    weights = routed_weights(num_frames, device)
    slope = torch.randn(num_frames, TASKS, size, device=device)

    def step(way) -> list[Tensor]:
        inputs = [frames, weights, *experts.parameters()]
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            output = way(experts, frames, weights)
        return [output.detach(), *torch.autograd.grad((output * slope).sum(), inputs)]

    ways = {way.__name__: way for way in (dense, two_passes, union, grouped_mm)}
    expected = step(dense)
    # Gates of what was not chosen get a gradient in the dense way alone; a top-1 gate multiplies it by zero.
    kept = weights.detach().ne(0)
    for name, way in ways.items():
        for value, reference in zip(step(way), expected):
            if value.shape == kept.shape:
                value, reference = value * kept, reference * kept
            difference = ((value - reference).abs().max() / reference.abs().max()).item()
            if difference > (0.05 if device.type == "cuda" else 1e-5):
                raise MeritError(f"{name} differs from dense by {difference:.1e} of the largest value")
    del expected
    taken = seconds({name: lambda way=way: step(way) for name, way in ways.items()}, device)
    for name, time in taken.items():
        report(f"{name}, forward and backward, {num_frames} frames", 1000 * time, "ms")
    report("union against dense", taken["dense"] / taken["union"], "x", at_least=1.5)
    report("union against two passes", taken["two_passes"] / taken["union"], "x", at_least=1.15)
    on_gpu = 1000 * taken["union"] if device.type == "cuda" else None
    report("union, 17600 frames, the paper's sizes, bf16, GPU", on_gpu, "ms", at_most=45)


if __name__ == "__main__":
    main()
