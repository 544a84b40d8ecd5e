"""Table III: scores on the dev set over the number of experts."""

from merit.metrics.label_table import read_label_table
from merit.metrics.undefined import mean_of_defined
from merit.report.table import Cell, Column, Table, with_best_in_bold
from merit.systems.sparse_merit.results.experiment import CLEAN, Experiment
from merit.systems.sparse_merit.results.run_files import EMOTION_TABLE, ENHANCEMENT_TABLE
from merit.systems.sparse_merit.results.score_tables import enhancement_row, runs_with
from merit.systems.sparse_merit.tables.noise_table import count_of, snr_cell

EXPERT_METHODS = ("sparse_merit", "sparse_merit_n1", "sparse_merit_n5", "sparse_merit_n7", "sparse_merit_n9")
"""Methods that differ in the number of experts alone."""


def table_3(experiment: Experiment) -> Table | None:
    """F1-macro and SSNR over the number of experts, means over the seeds; None when none of the methods was scored.

    Runs that are not of ``EXPERT_METHODS`` are left out.
    """
    rows, counts = [], []
    runs = [run for run in experiment.runs if run.method in EXPERT_METHODS]
    for condition in experiment.dev_conditions:
        emotion = runs_with(runs, condition, EMOTION_TABLE)
        enhancement = runs_with(runs, condition, ENHANCEMENT_TABLE)
        methods = {
            run.method: run.model_config().num_experts for run in runs if run.method in emotion.keys() | enhancement
        }
        for method in sorted(methods, key=methods.__getitem__):
            tables = [read_label_table(run.score(condition) / EMOTION_TABLE) for run in emotion.get(method, ())]
            means = [enhancement_row(run.scores, condition).means for run in enhancement.get(method, ())]
            counts += [len(table.reference) for table in tables]
            rows.append(
                (
                    snr_cell(condition.snr, condition.noise or CLEAN),
                    Cell(condition.noise or CLEAN),
                    Cell(methods[method]),
                    Cell(mean_of_defined(table.scores().f1_macro for table in tables)),
                    Cell(mean_of_defined(mean["SSNR"] for mean in means)),
                    Cell(max(len(tables), len(means))),
                )
            )
    if not rows:
        return None
    columns = (
        Column("snr", "SNR (dB)"),
        Column("noise", "Noise"),
        Column("experts", "Experts"),
        Column("f1_macro", "F1-macro"),
        Column("SSNR", "SSNR (dB)", digits=2),
        Column("seeds", "Seeds"),
    )
    utterances = f" ({count_of(counts, 'utterances')})" if counts else ""
    notes = (f"Scores of the whole dev set{utterances}, means over the seeds. Bold: best.",)
    title = "Dev set over the number of experts of Sparse MERIT (Table III)"
    return with_best_in_bold(Table("table_3", title, columns, tuple(rows), headings=3, blocks=2, notes=notes))
