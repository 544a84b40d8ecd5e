"""The frozen encoder in bfloat16 against float32, at WavLM Large's size."""

import contextlib

import torch
from measure import LARGE, chosen_device, report, seconds
from transformers import WavLMConfig

from merit.device import has_fast_bfloat16
from merit.nets.ssl import build_encoder


def main() -> None:
    """Print the row."""
    device = chosen_device(__doc__)
    torch.manual_seed(0)
    batch, length = (32, 11 * 16000) if device.type == "cuda" else (8, 5 * 16000)
    name = f"frozen WavLM Large forward against float32, {batch} x {length // 16000} s, {device.type}"
    if not has_fast_bfloat16(device):
        report(name, None, "x", at_least=2)
        return
    encoder = build_encoder(WavLMConfig(**LARGE).to_dict()).to(device).eval()
    waveform = torch.randn(batch, length, device=device)
    lengths = torch.full((batch,), length, device=device)

    def forward(bfloat16: bool) -> None:
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16) if bfloat16 else contextlib.nullcontext():
            encoder(waveform, lengths)

    taken = seconds({"float32": lambda: forward(False), "bfloat16": lambda: forward(True)}, device)
    for precision, time in taken.items():
        report(f"{precision}", batch * length / 16000 / time, "audio-s/s")
    report(name, taken["float32"] / taken["bfloat16"], "x", at_least=2)


if __name__ == "__main__":
    main()
