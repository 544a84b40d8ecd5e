"""What the choice of the gates is worth: scores when a task is given another expert than its own gate chose.

The rules that overrule the gates are those of :mod:`merit.systems.sparse_merit.routing.routing_override`.
"""

import csv
import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from merit.data.audio import audio_digest, read_audio
from merit.data.batching import length_batches
from merit.data.datadir import read_durations, read_table
from merit.device import Precision
from merit.errors import MeritError
from merit.files import atomic_path, sha256, write_text
from merit.metrics.enhancement.segmental_snr import segmental_snr
from merit.metrics.label_table import compare_labels
from merit.metrics.undefined import UndefinedScore
from merit.progress import progress
from merit.report.table import Cell, Column, Table
from merit.systems.sparse_merit.decoding import decode_batch, identify
from merit.systems.sparse_merit.inference import Merit
from merit.systems.sparse_merit.results.experiment import Run
from merit.systems.sparse_merit.results.tables import method_cell
from merit.systems.sparse_merit.routing.routing_override import OTHER, OWN, overrulable
from merit.systems.sparse_merit.routing.routing_statistics import routed

logger = logging.getLogger(__name__)

SCORES = ("f1_macro", "f1_micro", "ssnr")
TABLE = "routing_probe.csv"
"""Name of the table in the directory of a run."""


@dataclass(frozen=True)
class ProbeRow:
    """Scores of one condition under one rule; NaN for a task that the model has no head for.

    Attributes:
        condition: name of the data directory.
        gate: ``own``, ``other`` or ``expert_<n>``, for both tasks.
        f1_macro, f1_micro: of the emotions.
        ssnr: mean segmental SNR of the enhanced speech in dB, over the utterances where it is defined.
        utterances: n.
    """

    condition: str
    gate: str
    f1_macro: float
    f1_micro: float
    ssnr: float
    utterances: int


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
    computation = identify(model, device, precision)
    merit: Merit | None = None
    rows: list[ProbeRow] = []
    if not routed([Run(model.name, 0, model)]):
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
    with atomic_path(output) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(ProbeRow)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(asdict, rows))
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
        defined = [ratio for ratio in ratios[rule] if not math.isnan(ratio)]
        ssnr = math.fsum(defined) / len(defined) if defined else math.nan
        rows.append(ProbeRow(data.name, rule, *f1, ssnr, len(noisy)))
    logger.info("%s: %d utterances under %d rules", data.name, len(noisy), len(rules))
    return rows


def _segmental_snr(reference: np.ndarray, enhanced: np.ndarray) -> float:
    """As stage 6 has it, which scores a 16-bit file; NaN where it is not defined."""
    estimate = np.clip(np.rint(enhanced.astype(np.float64) * 32768), -32768, 32767) / 32768
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


def read_probe(path: Path) -> list[ProbeRow]:
    """Read what :func:`probe_routing` wrote.

    Raises:
        MeritError: when the file is missing or has other columns.
    """
    if not path.is_file():
        raise MeritError(f"{path}: not there; probe the routing first (merit.bin.sparse_merit.probe_routing)")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != [field.name for field in fields(ProbeRow)]:
            raise MeritError(f"{path}: other columns than those of a probe; probe the routing again")
        return [
            ProbeRow(row["condition"], row["gate"], *(float(row[name]) for name in SCORES), int(row["utterances"]))
            for row in reader
        ]


def probe_table(runs: Iterable[Run]) -> Table | None:
    """One row a run that was probed: its scores under every rule, averaged over the conditions; None without any."""
    tables = {run: read_probe(run.directory / TABLE) for run in runs if (run.directory / TABLE).exists()}
    probed = {run: rows for run, rows in tables.items() if rows}
    if not probed:
        return None
    experts = sorted({row.gate for rows in probed.values() for row in rows} - {OWN, OTHER}, key=_expert_number)
    labels = {OWN: "own gate", OTHER: "other gate", **{name: name.replace("_", " ") for name in experts}}
    measures = {"f1_macro": ("F1-macro", 3), "ssnr": ("SSNR (dB)", 2)}
    rows = []
    for run, found in probed.items():
        scores = (
            [getattr(row, measure) for row in found if row.gate == gate] for measure in measures for gate in labels
        )
        means = (Cell(math.fsum(values) / len(values) if values else math.nan) for values in scores)
        rows.append((method_cell(run.method), Cell(run.seed), *means))
    columns = (
        Column("method", "Method"),
        Column("seed", "Seed"),
        *(
            Column(gate, label, group=measure, group_label=name, digits=digits)
            for measure, (name, digits) in measures.items()
            for gate, label in labels.items()
        ),
    )
    notes = (
        "Means over the conditions. Own gate: the model as it is. Other gate: each task follows the gate of the other "
        "one. Expert n: every frame goes to this expert, with the weight that the own gate gave to those it kept.",
    )
    title = "Scores when the gates are overruled"
    return Table("routing_probe", title, columns, tuple(rows), headings=2, group_key="measure", notes=notes)


def _expert_number(rule: str) -> int:
    return int(rule.removeprefix("expert_"))
