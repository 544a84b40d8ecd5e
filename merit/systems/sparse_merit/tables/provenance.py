"""What the compared runs were trained with, and whether they can be compared."""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

from merit.report.table import Cell, Column, Table
from merit.systems.sparse_merit.methods.method import method_called
from merit.systems.sparse_merit.results.experiment import FinishedRun
from merit.systems.sparse_merit.results.run_files import read_config
from merit.systems.sparse_merit.tables.noise_table import method_cell


def provenance_table(runs: Sequence[FinishedRun]) -> Table:
    """One row a method: seeds, encoder, data of training; what speaks against a comparison stands in the notes."""
    configs = {run: read_config(run.directory) for run in runs}
    rows = []
    for method in dict.fromkeys(run.method for run in runs):
        members = [run for run in runs if run.method == method]
        seeds = " ".join(str(run.seed) for run in members)
        encoders = {encoder_name(configs[run]["description"]): None for run in members}
        trained_on = {Path(configs[run]["run"]["train"]).name: None for run in members}
        rows.append((method_cell(method), Cell(seeds), Cell(", ".join(encoders)), Cell(", ".join(trained_on))))
    columns = (
        Column("method", "Method"),
        Column("seeds", "Seeds"),
        Column("encoder", "Encoder"),
        Column("train", "Trained on"),
    )
    warnings = tuple(f"Warning: {warning}" for warning in comparison_warnings(configs))
    return Table("runs", "What is compared", columns, tuple(rows), notes=warnings)


def comparison_warnings(configs: dict[FinishedRun, dict]) -> list[str]:
    """Differences between the runs that no method calls for.

    Args:
        configs: run -> content of its ``config.json``.
    """

    def encoder(config: dict) -> str:
        return f"{encoder_name(config['description'])}, weights {config['description']['ssl_fingerprint']}"

    def classes(config: dict) -> str:
        return " ".join(config["description"]["classes"])

    def speech(config: dict) -> str:
        return f"{Path(config['run']['train']).name}, {Path(config['run']['dev']).name}"

    def labels(config: dict) -> str:
        return f"{config['run'].get('train_labels')} {config['run'].get('dev_labels')}"

    def settings(config: dict) -> str:
        return json.dumps([config["description"]["model"], config["run"]["training"]], sort_keys=True)

    noisy = {run: config for run, config in configs.items() if method_called(run.method).speech == "noisy"}
    warnings = []
    for what, value, among in (
        ("encoders", encoder, configs),
        ("classes", classes, configs),
        ("data to train and choose the epoch by", speech, noisy),
    ):
        groups = _grouped(among, value)
        if len(groups) > 1:
            listed = "; ".join(f"{found}: {' '.join(names)}" for found, names in groups.items())
            warnings.append(f"the runs differ in {what} ({listed}).")
    if len(groups := _grouped(configs, labels)) > 1:
        listed = "; ".join(" ".join(names) for names in groups.values())
        warnings.append(f"the runs were trained with different utterances or labels (utt2emo), in groups: {listed}.")
    for method in dict.fromkeys(run.method for run in configs):
        members = {run: config for run, config in configs.items() if run.method == method}
        if len(_grouped(members, settings)) > 1:
            warnings.append(f"the seeds of {method} differ in their model or training options (config.json).")
    return warnings


def encoder_name(description: Mapping) -> str:
    """Origin and size of the encoder in a model's ``config.json``."""
    ssl = description["ssl"]
    name = Path(ssl).name if Path(ssl).is_absolute() else ssl  # folders of this machine say nothing to a reader
    return f"{name} ({description['num_states']} states of {description['hidden_size']})"


def _grouped(configs: dict[FinishedRun, dict], value: Callable[[dict], Hashable]) -> dict[Hashable, list[str]]:
    groups: dict[Hashable, list[str]] = {}
    for run, config in configs.items():
        groups.setdefault(value(config), []).append(run.directory.name)
    return groups
