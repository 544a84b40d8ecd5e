"""The figure of one utterance: spectrograms on one scale, and under them which expert worked when."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from merit.files import atomic_path
from merit.nets.spectrum import HOP, spectrum
from merit.report.figure_style import distinct_colours
from merit.time_grid import FRAME_SAMPLES, SAMPLE_RATE

DYNAMIC_RANGE = 70.0
"""Decibels below the loudest point of all spectrograms that the colour scale goes down to."""


def log_spectrogram(samples: np.ndarray) -> np.ndarray:
    """Magnitude in dB (201, F), 0 to 8 kHz, 100 frames a second, of samples ``(S,)`` at 16 kHz."""
    length = torch.tensor([len(samples)])
    magnitude = spectrum(torch.from_numpy(samples).unsqueeze(0), length)[0].abs().clamp_min(1e-8)
    return 20 * torch.log10(magnitude).T.numpy()


def draw_utterance(
    signals: Mapping[str, np.ndarray], routing: Mapping[str, np.ndarray], path: Path, title: str = ""
) -> None:
    """Write :func:`utterance_figure` to ``path``, whose suffix chooses the format."""
    figure = utterance_figure(signals, routing, title)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)


def utterance_figure(signals: Mapping[str, np.ndarray], routing: Mapping[str, np.ndarray], title: str = "") -> Figure:
    """One spectrogram for each signal, and for each task a strip with the strongest expert of every frame.

    Args:
        signals: name -> samples (S,) at 16 kHz, from top to bottom.
        routing: task -> weights of the experts (T, N), 50 frames a second; empty leaves the strips out.
        title: of the figure.
    """
    spectrograms = {name: log_spectrogram(samples) for name, samples in signals.items()}
    loudest = max(float(values.max()) for values in spectrograms.values())
    heights = [4.0] * len(signals) + [0.4 + 0.4 * weights.shape[1] for weights in routing.values()]
    figure = Figure(figsize=(9, 0.45 * sum(heights) + 1.2), layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    upper, lower = axes[: len(signals)], axes[len(signals) :]
    for axis, (name, values) in zip(upper, spectrograms.items()):
        image = axis.imshow(
            values,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            cmap="magma",
            vmin=loudest - DYNAMIC_RANGE,
            vmax=loudest,
            extent=(0, values.shape[1] * HOP / SAMPLE_RATE, 0, SAMPLE_RATE / 2000),
        )
        axis.set_ylabel(f"{name}\nkHz", fontsize=11)
    figure.colorbar(image, ax=list(upper), label="magnitude in dB", pad=0.01)
    for axis, (task, weights) in zip(lower, routing.items()):
        _draw_strip(axis, task, weights)
    axes[-1].set_xlabel("time in s", fontsize=11)
    # Up to the last sample; the last frames reach beyond it.
    axes[-1].set_xlim(0, max(len(samples) for samples in signals.values()) / SAMPLE_RATE)
    figure.suptitle(title, fontsize=12)
    return figure


def _draw_strip(axis: Axes, task: str, weights: np.ndarray) -> None:
    """One row for each expert, expert 0 at the bottom, in which its colour fills the frames where it is strongest."""
    num_frames, num_experts = weights.shape
    strongest = weights.argmax(axis=1)
    rows = np.where(np.arange(num_experts)[:, np.newaxis] == strongest, strongest, np.nan)
    axis.imshow(
        rows,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        cmap=distinct_colours(num_experts),
        vmin=-0.5,
        vmax=num_experts - 0.5,
        extent=(0, num_frames * FRAME_SAMPLES / SAMPLE_RATE, -0.5, num_experts - 0.5),
    )
    axis.set_yticks(range(num_experts))
    axis.tick_params(axis="y", labelsize=9)
    axis.set_ylabel(f"expert for\n{task}", fontsize=11, rotation=0, ha="right", va="center")
