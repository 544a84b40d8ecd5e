"""One optimiser step of phase 2: MERIT against the same step written plainly on transformers with all experts computed.

Both take the same step, to 1e-4 of the loss, before they are timed.
"""

import contextlib
from collections.abc import Callable

import torch
from measure import LARGE, chosen_device, peak_bytes, report, seconds
from plain_model import PlainModel
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence
from transformers import WavLMConfig

from merit.errors import MeritError
from merit.nets.ssl import build_encoder
from merit.nets.ssl.encoder import attention_bias
from merit.nets.ssl.wavlm import position_bias
from merit.systems.sparse_merit.model import MeritModel, ModelOutput
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.phases.batch import Batch
from merit.systems.sparse_merit.phases.objective import JointObjective
from merit.systems.sparse_merit.training_options import MeritTraining
from merit.training.optimizer import make_optimizer

CLASSES = 4


def make_model(config: WavLMConfig, expert_size: int, device: torch.device) -> MeritModel:
    """Sparse MERIT with random weights, without dropout, so that two ways of computing it can be compared."""
    off = ("attention_dropout", "hidden_dropout", "activation_dropout", "feat_proj_dropout")
    encoder = build_encoder(config.to_dict() | dict.fromkeys(off, 0.0))
    model = ModelConfig(expert_size=expert_size, emotion_dropout=0.0)
    return MeritModel(model, encoder.num_states, encoder.hidden_size, CLASSES, encoder).to(device)


def make_batch(lengths: Tensor, device: torch.device) -> Batch:
    """Noise of the given lengths (B,) in samples, with itself made quieter as the clean speech."""
    inside = torch.arange(int(lengths.max())) < lengths.unsqueeze(1)
    noisy = torch.randn(len(lengths), int(lengths.max())) * inside
    labels = torch.arange(len(lengths)) % CLASSES
    keys = [f"utterance-{n}" for n in range(len(lengths))]
    return Batch(keys, lengths, noisy=noisy, clean=0.5 * noisy, labels=labels).to(device)


def cut(batch: Batch, parts: int) -> list[Batch]:
    """The batch as so many micro-batches of equal size."""
    size = len(batch.keys) // parts
    values = zip(*(getattr(batch, name).split(size) for name in ("lengths", "noisy", "clean", "labels")))
    return [Batch([""] * size, lengths, noisy, clean, labels) for lengths, noisy, clean, labels in values]


class Step:
    """One optimiser step over the micro-batches of a batch.

    Args:
        model: gives emotion logits and the enhanced magnitude of a micro-batch through ``outputs``.
        outputs: (model, batch) -> what the objective takes.
        bfloat16: under autocast.
    """

    def __init__(
        self, model: nn.Module, outputs: Callable[[nn.Module, Batch], ModelOutput], batches: list[Batch], bfloat16: bool
    ) -> None:
        self.device = batches[0].noisy.device
        self.model, self.outputs, self.batches, self.bfloat16 = model.train(), outputs, batches, bfloat16
        weights = {"emotion": 1.0, "enhancement": 1.0, "balancing": 0.0}
        self.objective = JointObjective(ModelConfig(), torch.ones(CLASSES, device=self.device), weights)
        self.optimizer = make_optimizer(model, MeritTraining())

    def loss(self, batch: Batch) -> Tensor:
        """The joint loss of a micro-batch, as if it were alone."""
        on = torch.autocast(self.device.type, torch.bfloat16) if self.bfloat16 else contextlib.nullcontext()
        with on:
            sums = self.objective.sums(self.outputs(self.model, batch), batch)
        denominators = self.objective.denominators(batch)
        return sum(sums[name] / denominators[name] for name in sums)

    def __call__(self) -> None:
        """Take the step."""
        for batch in self.batches:
            (self.loss(batch) / len(self.batches)).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()


def of_merit(model: nn.Module, batch: Batch) -> ModelOutput:
    """What MERIT says of a batch."""
    return model(batch.noisy, batch.lengths)


def of_plain(model: nn.Module, batch: Batch) -> ModelOutput:
    """What the plain model says of it."""
    emotion, enhanced = model(batch.noisy, batch.lengths)
    return ModelOutput(emotion, enhanced, None, [])


def profile(step: Step, size: str) -> None:
    """Where the step's time goes: each part forward and backward on its own, its inputs cut off the graph."""
    model, batch, device = step.model, step.batches[0], step.device

    def autocast() -> contextlib.AbstractContextManager:
        return torch.autocast(device.type, torch.bfloat16) if step.bfloat16 else contextlib.nullcontext()

    with torch.no_grad(), autocast():
        features, frame_lengths = model.encoder.features(batch.noisy, batch.lengths)
        states, _ = model.encoder.states(features, frame_lengths)
        mask = torch.arange(states.shape[1], device=device) < frame_lengths.unsqueeze(1)
        frames = model.front_end(states, mask)[0]["enhancement"]
        spectrum_lengths = batch.lengths // 160 + 1
    states, frames = states.detach().requires_grad_(), frames.detach().requires_grad_()
    decoder = model.enhancement_head
    projected = frames.new_zeros(len(states), int(spectrum_lengths.max()), decoder.projection.out_features)
    projected.requires_grad_()
    attention = model.encoder.layers[0].attention
    gate = torch.rand(len(states), attention.num_heads, states.shape[1], 1, device=device, requires_grad=True)

    def both_ways(forward: Callable[[], Tensor]) -> Callable[[], None]:
        def run() -> None:
            with autocast():
                output = forward()
            output.float().square().mean().backward()

        return run

    def biases() -> Tensor:
        masked = attention_bias(mask, states)
        table = position_bias(attention, states.shape[1]).to(masked.dtype)
        return sum(torch.addcmul(masked, gate.to(masked.dtype), table)[..., 0].sum() for _ in model.encoder.layers)

    width = projected.shape[-1]
    lstm = nn.LSTM(width, width, num_layers=2, bidirectional=True, batch_first=True).to(device)

    def blstm() -> Tensor:
        with torch.autocast(device.type, enabled=False):
            return decoder.blstm(projected.float(), spectrum_lengths)

    def packed_blstm() -> Tensor:
        with torch.autocast(device.type, enabled=False):
            packed = pack_padded_sequence(projected.float(), spectrum_lengths.cpu(), batch_first=True)
            return lstm(packed)[0].data

    def front_end_alone() -> None:
        with torch.no_grad(), autocast():
            model.encoder.features(batch.noisy, batch.lengths)

    def optimise() -> None:
        for parameter in model.parameters():
            if parameter.requires_grad and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        step.optimizer.step()

    parts = {
        "convolutional front end": front_end_alone,
        "transformer": both_ways(lambda: model.encoder.states(features, frame_lengths)[0]),
        "of it the attention biases": both_ways(biases),
        "experts and gates": both_ways(lambda: sum(model.front_end(states, mask)[0].values())),
        "emotion head": both_ways(lambda: model.emotion_head(frames, mask)),
        "enhancement head": both_ways(lambda: decoder(frames, frame_lengths, batch.noisy, batch.lengths)[0]),
        "of it the BLSTM": both_ways(blstm),
        "what nn.LSTM over packed sequences takes instead": both_ways(packed_blstm),
        "optimiser": optimise,
    }
    for name, time in seconds(parts, device, rounds=3).items():
        report(f"{name}, {size}", 1000 * time, "ms")
    model.zero_grad()


def main() -> None:
    """Print the rows."""
    device = chosen_device(__doc__)
    torch.manual_seed(0)
    if device.type == "cuda":
        on_gpu(device)
        return
    # Lengths as in a batch of MSP-Podcast grouped by length.
    batch = make_batch(torch.tensor([5.9, 5.8, 5.8, 5.6]).mul(16000).long(), device)
    audio = batch.lengths.sum().item() / 16000
    size = "WavLM Base+, experts 9984-3072-768, 4 utterances, 23 s"
    model = make_model(WavLMConfig(), 3072, device)
    steps = {
        "merit": Step(model, of_merit, [batch], bfloat16=False),
        "plain": Step(PlainModel(model).to(device), of_plain, [batch], bfloat16=False),
        "merit, bfloat16": Step(make_model(WavLMConfig(), 3072, device), of_merit, [batch], bfloat16=True),
    }
    require_same(steps["merit"], steps["plain"])
    taken = seconds(steps, device, rounds=3)
    for name, time in taken.items():
        report(f"{name}, {size}", audio / time, "audio-s/s")
    report("merit against plain, both float32", taken["plain"] / taken["merit"], "x", at_least=1.3)
    report("merit in bfloat16 against plain in float32", taken["plain"] / taken["merit, bfloat16"], "x")
    profile(steps["merit"], size)
    report("32 x 11 s, the paper's sizes, GPU", None, "audio-s/s", at_least=1200)
    report("its peak memory, GPU", None, "GB", at_most=60)
    report("against float32, 4 x 8, all experts, transformers' attention, GPU", None, "x", at_least=5)


def on_gpu(device: torch.device) -> None:
    """The rows at the paper's sizes."""
    batch = make_batch(torch.full((32,), 11 * 16000), device)
    audio, size = 32 * 11, "the paper's sizes, 32 x 11 s"
    model = make_model(WavLMConfig(**LARGE), 4096, device)
    merit = Step(model, of_merit, [batch], bfloat16=True)
    profile(merit, size)
    memory = peak_bytes(merit, device) + torch.cuda.memory_allocated(device)
    plain = Step(PlainModel(model).to(device), of_plain, cut(batch, 8), bfloat16=False)
    taken = seconds({"merit": merit, "plain": plain}, device)
    for name, time in taken.items():
        report(f"{name}, {size}", 1000 * time, "ms")
    report("32 x 11 s, the paper's sizes, GPU", audio / taken["merit"], "audio-s/s", at_least=1200)
    report("its peak memory, GPU", memory / 1e9, "GB", at_most=60)
    ratio = taken["plain"] / taken["merit"]
    report("against float32, 4 x 8, all experts, transformers' attention, GPU", ratio, "x", at_least=5)


def require_same(ours: Step, plain: Step) -> None:
    """Refuse to time two steps that do not compute the same loss."""
    with torch.no_grad():
        losses = [step.loss(step.batches[0]).item() for step in (ours, plain)]
    if abs(losses[0] - losses[1]) > 1e-4 * abs(losses[1]):
        raise MeritError(f"the plain step's loss is {losses[1]}, ours {losses[0]}")


if __name__ == "__main__":
    main()
