"""What the choice of the gates is worth: scores when a task is given another expert than its own gate chose.

The rules that overrule the gates are those of :mod:`merit.systems.sparse_merit.probe.routing_override`.
"""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from merit.data.audio import audio_digest, read_audio, to_16_bits
from merit.data.batching import length_batches
from merit.data.datadir import read_durations, read_table, require_stored
from merit.device import Precision
from merit.files import sha256, write_text
from merit.metrics.enhancement.segmental_snr import segmental_snr
from merit.metrics.label_table import compare_labels
from merit.metrics.undefined import UndefinedScore, mean_of_defined
from merit.progress import progress
from merit.systems.sparse_merit.decoding import decode_batch, identify
from merit.systems.sparse_merit.inference import Merit
from merit.systems.sparse_merit.probe.routing_override import overrulable
from merit.systems.sparse_merit.results.experiment import FinishedRun
from merit.systems.sparse_merit.results.probe_scores import ProbeRow, write_probe
from merit.systems.sparse_merit.routing.routing_statistics import routes

logger = logging.getLogger(__name__)


def probe_routing(
    model: Path,
    data: Sequence[Path],
    output: Path,
    batch_seconds: float,
    device: str,
    precision: Precision,
) -> list[ProbeRow]:
    """Score every condition under every rule and write the table; conditions that were probed before are kept.

    Batches are those of the decoding, so ``own`` repeats the scores of stage 6. The table of a model whose gates have
    no choice, or that has none, has no rows.

    Args:
        model: directory of the trained model.
        data: mixed data directories with wav.scp, utt2emo and spk1.scp, as the model has heads for them.
        output: the table; the rows of each condition lie beside it, in a folder of its name without suffix.
        batch_seconds: audio computed at once, padding included.
        device, precision: see :class:`merit.systems.sparse_merit.inference.Merit`.

    Raises:
        MeritError: when the model, a table or audio cannot be used.
    """
    require_stored(*data)
    computation = identify(model, device, precision)
    merit: Merit | None = None
    rows: list[ProbeRow] = []
    if not routes(FinishedRun(model.name, 0, model)):
        logger.info("%s: no gate has a choice between experts, so there is nothing to overrule", model)
        data = []
    for directory in data:
        audio = {name: audio_digest(read_table(directory / name)) for name in ("wav.scp", "spk1.scp")}
        source = {**computation, **audio, "utt2emo": sha256(directory / "utt2emo")}
        path = output.with_suffix("") / f"{directory.name}.json"
        found = _kept(path, source)
        if found is None:
            merit = merit or overrulable(Merit.from_pretrained(model, device, precision), str(model))
            found = _probe_condition(merit, directory, batch_seconds)
            write_text(path, json.dumps({"source": source, "rows": [asdict(row) for row in found]}, indent=1) + "\n")
        rows += found
    write_probe(output, rows)
    return rows


def _probe_condition(merit: Merit, data: Path, batch_seconds: float) -> list[ProbeRow]:
    front_end = merit.model.front_end
    rules = front_end.rules
    noisy, clean = read_table(data / "wav.scp"), read_table(data / "spk1.scp")
    reference = read_table(data / "utt2emo")
    seconds = read_durations(data, noisy)
    emotions: dict[str, dict[str, str]] = {rule: {} for rule in rules}
    ratios: dict[str, list[float]] = {rule: [] for rule in rules}
    with progress(sum(seconds.values()), f"probe {data.name}", " audio-s", unit_scale=True) as bar:
        for utterances in length_batches(seconds, batch_seconds):
            waveforms = {name: read_audio(noisy[name], name) for name in utterances}
            references = {name: read_audio(clean[name], name) for name in utterances} if merit.enhances else {}
            for rule in rules:
                front_end.rule = rule
                for name, result in decode_batch(merit, waveforms, noisy).items():
                    if result.emotion is not None:
                        emotions[rule][name] = max(result.emotion, key=result.emotion.get)
                    if result.enhanced is not None:
                        ratios[rule].append(_segmental_snr(references[name], result.enhanced))
            merit.model.encoder.forget()
            bar.update(sum(seconds[name] for name in utterances))
    rows = []
    for rule in rules:
        f1 = (math.nan, math.nan)
        if emotions[rule]:
            scores = compare_labels(reference, emotions[rule], str(data / "utt2emo"), merit.classes).scores()
            f1 = (scores.f1_macro, scores.f1_micro)
        rows.append(ProbeRow(data.name, rule, *f1, mean_of_defined(ratios[rule]), len(noisy)))
    logger.info("%s: %d utterances under %d rules", data.name, len(noisy), len(rules))
    return rows


def _segmental_snr(reference: np.ndarray, enhanced: np.ndarray) -> float:
    """As stage 6 has it, which scores a 16-bit file; NaN where it is not defined."""
    estimate = to_16_bits(enhanced) / 32768
    length = min(len(reference), len(estimate))
    if not reference[:length].any():
        return math.nan
    try:
        return segmental_snr(reference[:length], estimate[:length].astype(np.float32))
    except UndefinedScore:
        return math.nan


def _kept(path: Path, source: Mapping[str, object]) -> list[ProbeRow] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return [ProbeRow(**row) for row in found["rows"]] if found["source"] == source else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
