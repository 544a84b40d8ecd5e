"""Memory of phase 2 at the paper's sizes, and the smallest card that it fits on.

On a GPU the highest allocation of a step is measured. On a CPU the tensors that the backward pass keeps are counted,
for one utterance of 11 s, the attention as the memory-efficient GPU kernel keeps it; what a kernel needs for a moment
is not in it, so 2 GB are added for that. The optimiser is plain AdamW in 32 bits: 16 bytes a trained parameter with its
gradient.
"""

from collections.abc import Callable
from unittest import mock

import torch
from measure import LARGE, chosen_device, report, wait
from phase2_step import Step, cut, make_batch, make_model, of_merit
from torch import Tensor
from torch.nn import functional
from transformers import WavLMConfig

from merit.systems.sparse_merit.model import MeritModel

CARDS = (12, 16, 24, 32, 40, 48, 80, 141)
"""Memory of common cards in GB."""
SECONDS = 11
SETTINGS = [(32, False), (16, False), (8, False), (4, False), (8, True), (4, True), (1, True)]
"""Utterances of a micro-batch, and activation checkpointing."""
MOMENTARY = 2.0
"""GB for what kernels need for a moment, added to what is counted."""


class KeptByTheKernel(torch.autograd.Function):
    """Attention that keeps what the memory-efficient kernel keeps; its gradient is never asked for."""

    @staticmethod
    def forward(ctx, query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        """(B, H, T, E) three times and the bias (B, H, T, T) -> (B, H, T, E)."""
        output = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, bias, output, query.new_empty(query.shape[:3], dtype=torch.float32))
        return output

    @staticmethod
    def backward(ctx, *gradients: Tensor) -> None:
        """Not computed: only what is kept is of interest."""
        raise NotImplementedError


def kept_bytes(run: Callable[[], object], model: MeritModel) -> int:
    """Bytes of the tensors that autograd keeps for the backward pass of ``run``, parameters left out."""
    parameters = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    seen: dict[int, int] = {}
    alive = []

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            seen[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # or its address would be used again
        return tensor

    def attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor, dropout_p: float) -> Tensor:
        return KeptByTheKernel.apply(query, key, value, attn_mask)

    with (
        mock.patch.object(functional, "scaled_dot_product_attention", attention),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        run()
    return sum(seen.values())


def counted() -> dict[tuple[int, bool], float]:
    """GB of a step under every setting, from the tensors that are kept of one utterance."""
    model = make_model(WavLMConfig(**LARGE), 4096, torch.device("cpu"))
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    frozen = sum(parameter.numel() for parameter in model.parameters() if not parameter.requires_grad)
    batch = make_batch(torch.tensor([SECONDS * 16000]), torch.device("cpu"))
    step = Step(model, of_merit, [batch], bfloat16=True)
    whole = kept_bytes(lambda: step.loss(batch), model)

    encoder = model.encoder
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features, frame_lengths = encoder.features(batch.noisy, batch.lengths)

    def encode() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            encoder.states(features, frame_lengths)

    encoder_bytes = kept_bytes(encode, model)
    # The copies of the weights in 16 bits are kept once, whatever the batch.
    weights = 2 * sum(parameter.numel() for parameter in model.parameters() if parameter.dim() > 1)
    layers = len(encoder.layers)
    one_state = int(frame_lengths) * encoder.hidden_size * 4
    # With checkpointing the inputs of the layers stay, and one layer at a time is computed again.
    layer_bytes = encoder_bytes - 2 * sum(value.numel() for value in encoder.parameters() if value.dim() > 1)
    rest = whole - weights - layer_bytes
    kept = {False: rest + layer_bytes, True: rest + layers * one_state + layer_bytes / layers}
    report("kept of an audio second, no checkpointing", kept[False] / SECONDS / 1e6, "MB")
    report("kept of an audio second, checkpointing", kept[True] / SECONDS / 1e6, "MB")
    report("weights, gradients, AdamW, weights in 16 bits", (16 * trained + 4 * frozen + weights) / 1e9, "GB")
    return {
        (utterances, checkpointing): (16 * trained + 4 * frozen + weights + utterances * kept[checkpointing]) / 1e9
        + MOMENTARY
        for utterances, checkpointing in SETTINGS
    }


def measured(device: torch.device) -> dict[tuple[int, bool], float | None]:
    """GB allocated at the highest in a step under every setting; None where the card has too little."""
    model = make_model(WavLMConfig(**LARGE), 4096, device)
    batch = make_batch(torch.full((32,), SECONDS * 16000), device)
    peaks: dict[tuple[int, bool], float | None] = {}
    for utterances, checkpointing in SETTINGS:
        model.encoder.gradient_checkpointing = checkpointing
        # Two micro-batches at least: gradients of the first are there while the second is computed.
        micro_batches = cut(batch, 32 // utterances)[:2]
        step = Step(model, of_merit, micro_batches, bfloat16=True)
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        try:
            step()
            step()
            wait(device)
            peaks[utterances, checkpointing] = torch.cuda.max_memory_allocated(device) / 1e9
        except torch.cuda.OutOfMemoryError:
            model.zero_grad()
            peaks[utterances, checkpointing] = None
        del step
    return peaks


def main() -> None:
    """Print the rows."""
    device = chosen_device(__doc__)
    torch.manual_seed(0)
    on_gpu = device.type == "cuda"
    kind, sizes = ("measured", measured(device)) if on_gpu else ("counted", counted())
    for (utterances, checkpointing), size in sizes.items():
        name = f"micro-batch {utterances} x {SECONDS} s, {'' if checkpointing else 'no '}checkpointing"
        report(f"{name}, {kind}", size, "GB")
        card = None if size is None else next((card for card in CARDS if 0.95 * card >= size), None)
        report(f"{name}, smallest card", card, "GB")
    phase_2 = sizes[32, False] if on_gpu else None
    report("micro-batch 32 x 11 s, no checkpointing, GPU", phase_2, "GB", at_most=60)


if __name__ == "__main__":
    main()
