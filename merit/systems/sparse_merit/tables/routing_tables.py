"""Tables IV and V of the paper (switching and agreement of the gates), and the health of every run's routing."""

import logging
from collections.abc import Callable, Mapping
from itertools import groupby

import numpy as np

from merit.report.table import Cell, Column, Table
from merit.systems.sparse_merit.results.experiment import FinishedRun
from merit.systems.sparse_merit.routing.routing_statistics import (
    Counts,
    RoutingCounts,
    by_emotion,
    by_snr,
    total,
)
from merit.systems.sparse_merit.routing.routing_usage import routing_warnings
from merit.systems.sparse_merit.tables.noise_table import method_cell, snr_cell
from merit.systems.sparse_merit.tables.probe_table import probe_table

logger = logging.getLogger(__name__)

GATES = {"enhancement": "SE", "emotion": "SER"}
"""Task of a gate -> what the paper calls it, in the order of its tables."""
SHARES = (
    Column("se_switch", "SE switch"),
    Column("ser_switch", "SER switch"),
    Column("agreement", "Agreement"),
    Column("seeds", "Seeds", shown=False),
)
SWITCHING_NOTE = (
    "Switch: share of the 20 ms frames whose strongest expert is another one than that of the frame before, within "
    "utterances. Agreement: share of the frames on which both gates choose the same expert. Shares over all frames of "
    "all noises, averaged over the seeds."
)


def routing_tables(counts: Mapping[FinishedRun, Counts]) -> list[Table]:
    """Tables IV and V, health, and the probe where there is one; none without a run that routes.

    Args:
        counts: run that routes -> its counts on the test; those of one method stand together.
    """
    if not counts:
        return []
    snr, emotion = Column("snr", "SNR (dB)"), Column("emotion", "Emotion")
    return [
        _switching("table_4", "Switching rates and agreement of the gates by SNR (Table IV)", snr, counts, by_snr),
        _switching(
            "table_5", "Switching rates and agreement of the gates by emotion (Table V)", emotion, counts, by_emotion
        ),
        health_table(counts),
        *([probed] if (probed := probe_table(counts)) else []),
    ]


def _switching(
    name: str,
    title: str,
    heading: Column,
    counts: Mapping[FinishedRun, Counts],
    grouped: Callable[[Counts], dict[float | str | None, RoutingCounts]],
) -> Table:
    """One row for each group of frames and method, means over its seeds."""
    methods = [list(runs) for _, runs in groupby(counts, key=lambda run: run.method)]
    groups = {run: grouped(found) for run, found in counts.items()}
    rows = []
    for group in dict.fromkeys(group for found in groups.values() for group in found):
        for runs in methods:
            members = [groups[run][group] for run in runs if group in groups[run]]
            if members:
                cells = (Cell(value) for value in np.mean([shares(member) for member in members], axis=0).tolist())
                rows.append(
                    (
                        Cell(group) if isinstance(group, str) else snr_cell(group),
                        method_cell(runs[0].method),
                        *cells,
                        Cell(len(members)),
                    )
                )
    columns = (heading, Column("method", "Method"), *SHARES)
    return Table(name, title, columns, tuple(rows), headings=2, blocks=1, notes=(SWITCHING_NOTE,))


def shares(counts: RoutingCounts) -> tuple[float, float, float]:
    """Switching rate of the SE and the SER gate and their agreement, NaN for a gate that is not there."""
    rates = (counts.switching_rate(task) if task in counts.tasks else float("nan") for task in GATES)
    return (*rates, counts.agreement)


def health_table(counts: Mapping[FinishedRun, Counts]) -> Table:
    """One row a run: agreement, and the largest and smallest share of the frames that an expert gets of each gate.

    What is beyond the limits of :mod:`.routing_health` is logged and stands below the table.
    """
    rows, notes = [], []
    for run, found in counts.items():
        summed = total(found.values())
        extremes = []
        for task in GATES:
            usage = summed.usage(task) if task in summed.tasks else np.array([np.nan])
            extremes += [Cell(float(usage.max())), Cell(float(usage.min()))]
        warnings = routing_warnings(summed.choices, run.model_config())
        for warning in warnings:
            logger.warning("%s: %s", run.directory.name, warning)
            notes.append(f"{run.directory.name}: {warning}.")
        agreement = (Cell(shares(summed)[-1]), Cell(len(warnings)))
        rows.append((method_cell(run.method), Cell(run.seed), *extremes, *agreement))
    columns = (
        Column("method", "Method"),
        Column("seed", "Seed"),
        *(Column(f"{gate.lower()}_{kind}", f"{gate} {kind}") for gate in GATES.values() for kind in ("most", "least")),
        Column("agreement", "Agreement"),
        Column("warnings", "Warnings"),
    )
    explanation = "Most, least: share of all frames of the expert that a gate uses most and least."
    return Table(
        "routing_health", "Health of the routing", columns, tuple(rows), headings=2, notes=(explanation, *notes)
    )
