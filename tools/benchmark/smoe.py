"""S-MoE's training step and beam decoding against torch.nn.Transformer's layers with experts as masks.

EncDecS-MoE in the paper's sizes (144.84 M parameters), a batch of wide and narrow speech mixed, transcription. Both
contenders have the same weights and must agree in logits and in the texts that they find before anything is timed.
Training has the paper's dropout and label smoothing. A CPU computes with one thread and is timed in processor time,
which does not count what else the machine does meanwhile.
"""

import time
from collections.abc import Callable, Iterable

import torch
from measure import chosen_device, peak_bytes, report, seconds
from plain_smoe import PlainSmoe
from torch import Tensor, nn
from torch.nn import functional

from merit.device import autocast
from merit.errors import MeritError
from merit.systems.smoe.beam_search import BeamOptions, beam_search
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.smoe_training import SmoeTraining
from merit.systems.smoe.speech_to_text_model import SpeechToText
from merit.systems.smoe.vocabulary import END, START

VOCABULARY, TASK_TAGS, PREFIX = 40_000, (3, 4), [START, 3, 5]
BEAM, STEPS = 5, 15
BATCH = {"cpu": (4, 5.0), "cuda": (64, 12.0)}  # utterances, seconds of the longest
ROUNDS = 5


def main() -> None:
    """Compare, time and print."""
    device = chosen_device(__doc__)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    config = SmoeModelConfig(encoder_experts=2, decoder_experts=2)
    smoothing = SmoeTraining().label_smoothing
    model = SpeechToText(config, VOCABULARY, TASK_TAGS).to(device)
    plain = PlainSmoe(model)
    count, longest = BATCH[device.type]
    lengths = torch.linspace(60 * longest, 100 * longest, count).long().sort(descending=True).values
    features = torch.randn(count, int(lengths[0]), config.mel_bins)
    for row, length in zip(features, lengths):
        row[length:] = 0
    features = features.to(device)
    bandwidths = [int(number >= count // 2) for number in range(count)]
    tokens = torch.randint(6, VOCABULARY, (count, 40), device=device)
    tokens[:, : len(PREFIX)] = torch.tensor(PREFIX)
    everywhere = torch.ones_like(tokens, dtype=torch.bool)

    def ours() -> Tensor:
        return model(features, lengths, bandwidths, tokens, everywhere, 0).logits

    def theirs() -> Tensor:
        return plain(features, lengths, bandwidths, tokens, [0] * count)

    def trainer(run: Callable[[], Tensor], parameters: Iterable[nn.Parameter]) -> Callable[[], None]:
        optimizer = torch.optim.AdamW(parameters, lr=1e-6, fused=True)

        def step() -> None:
            with autocast("auto" if device.type == "cuda" else "float32", device):
                logits = run()
            targets = tokens[:, len(PREFIX) :].flatten()
            scored = logits[:, len(PREFIX) - 1 : -1].flatten(0, 1).float()
            functional.cross_entropy(scored, targets, label_smoothing=smoothing).backward()
            optimizer.step()
            optimizer.zero_grad()

        return step

    def search() -> list[list[int]]:
        options = BeamOptions(beam=BEAM, tokens_per_frame=0, more_tokens=STEPS + 1)
        with torch.inference_mode():
            memory = model.speech(features, lengths, bandwidths)
            found = beam_search(model.text, memory, PREFIX, 0, [START], options)
        return [hypotheses[0].tokens for hypotheses in found]

    def plain_search() -> list[list[int]]:
        with torch.inference_mode():
            return plain.search(features, lengths, bandwidths, PREFIX, 0, BEAM, STEPS).tolist()

    model.eval()
    plain.eval()
    with torch.inference_mode():
        apart = (ours() - theirs()).abs().max().item()
    if apart > 1e-3:
        raise MeritError(f"the logits of the two differ by {apart:g}")
    with torch.no_grad():  # no text ends by itself
        model.text.norm.bias[0] = 10.0
        model.text.output.weight[END, 0] = -10.0
    if search() != plain_search():
        raise MeritError("the two find other texts")
    times = seconds({"ours": search, "plain": plain_search}, device, ROUNDS, clock=clock)
    report("beam decoding, plain / ours", times["plain"] / times["ours"], "x", at_least=2.0)
    report("beam decoding", times["ours"], "s")
    model.train()
    plain.train()
    steps = {"ours": trainer(ours, model.parameters()), "plain": trainer(theirs, plain.parameters())}
    times = seconds(steps, device, ROUNDS, clock=clock)
    report("training step, plain / ours", times["plain"] / times["ours"], "x", at_least=1.3)
    report("training step", times["ours"], "s")
    on_gpu = device.type == "cuda"
    memory = {name: peak_bytes(step, device) / 1e9 for name, step in steps.items()} if on_gpu else {}
    report("training step, GPU memory", memory.get("ours"), "GB")
    report("training step, GPU memory, plain / ours", memory["plain"] / memory["ours"] if on_gpu else None, "x", 1.0)


if __name__ == "__main__":
    main()
