"""Cards of the page: what is known of one utterance, above its players, and the choice of cards to be seen."""

import math
from collections.abc import Sequence
from html import escape

from merit.report.page import example_card, filter_section, signed
from merit.systems.sparse_merit.page.examples import Example


def filters(examples: Sequence[Example]) -> str:
    """Choices of model, noise and SNR, each where there are several."""
    snrs = sorted({example.condition.snr for example in examples})
    return filter_section(
        {
            "model": ("model", {_model(example): _model_name(example) for example in examples}),
            "noise": ("noise", {example.condition.noise: example.condition.noise for example in examples}),
            "snr": ("SNR", {f"{snr:g}": f"{signed(snr)} dB" for snr in snrs}),
        }
    )


def card(example: Example, players: Sequence[tuple[str, bytes, float]]) -> str:
    """What is known of an utterance, and its players.

    Args:
        example: the utterance.
        players: name, FLAC file and seconds of each.
    """
    condition = example.condition
    facts = []
    if (emotion := example.emotion) is not None:
        verdict = "" if emotion.hypothesis == emotion.reference else ' class="wrong"'
        certainty = "" if math.isnan(emotion.probability) else f" (probability {emotion.probability:.2f})"
        facts.append(f"true emotion <strong>{escape(emotion.reference)}</strong>")
        facts.append(f"recognised <strong{verdict}>{escape(emotion.hypothesis)}</strong>{certainty}")
    for measure, unit in (("SSNR", " dB"), ("PESQ", "")):
        before, after = (signed(value, 2) for value in example.scores[measure])
        facts.append(f"{measure} {before} \u2192 {after}{unit}")
    data = {"model": _model(example), "noise": condition.noise, "snr": f"{condition.snr:g}"}
    remarks = (f"{condition.noise}, {signed(condition.snr)} dB", _model_name(example))
    return example_card(data, example.utterance, remarks, facts, players)


def _model(example: Example) -> str:
    return f"{example.run.method}-{example.run.seed}"


def _model_name(example: Example) -> str:
    return f"{example.run.name}, seed {example.run.seed}"
