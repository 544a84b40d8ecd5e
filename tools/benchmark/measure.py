"""What the benchmarks share: timing contenders side by side, and the rows they print.

A row is ``name, figure, unit, target, met|short|not measured`` between tabs; a figure that stands beside others only to
explain them has no target, and ``-`` in the last two columns.
"""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
}
"""WavLM Large, as options of transformers' ``WavLMConfig``."""


def chosen_device(description: str) -> torch.device:
    """The device of ``--device cpu|cuda`` on the command line."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    device = torch.device(parser.parse_args().device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: torch finds no GPU here")
    return device


def report(
    name: str, figure: float | None, unit: str, at_least: float | None = None, at_most: float | None = None
) -> None:
    """Print one row, its name after that of the benchmark; ``figure`` is None where it was not measured."""
    target = "-"
    state = "-" if figure is not None else "not measured"
    if at_least is not None or at_most is not None:
        target = f">= {at_least:g}" if at_least is not None else f"<= {at_most:g}"
        if figure is not None:
            state = "met" if (figure >= at_least if at_least is not None else figure <= at_most) else "short"
    shown = "-" if figure is None else f"{figure:.0f}" if abs(figure) >= 1000 else f"{figure:.4g}"
    print(f"{Path(sys.argv[0]).stem}: {name}", shown, unit, target, state, sep="\t", flush=True)


def seconds(
    contenders: Mapping[str, Callable[[], object]],
    device: torch.device,
    rounds: int = 5,
    warm_up: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median time of one call of each contender, in seconds.

    All contenders run once in every round, so that what else the machine does meets all of them. By the clock
    ``time.process_time`` it hardly meets any: the processor's time for this process, that of all its threads.
    """
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(warm_up + rounds):
        for name, run in contenders.items():
            gc.collect()
            wait(device)
            start = clock()
            run()
            wait(device)
            if turn >= warm_up:
                taken[name].append(clock() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_bytes(run: Callable[[], object], device: torch.device) -> int:
    """GPU memory that one call takes beyond what was taken before it, at its highest."""
    gc.collect()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    run()
    wait(device)
    return torch.cuda.max_memory_allocated(device) - before
