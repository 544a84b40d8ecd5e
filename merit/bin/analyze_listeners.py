"""The listeners of rated sets: how each rates, how far the panels are apart, what their bias costs predictions."""

from pathlib import Path

from merit.command import run_command
from merit.data.rated.ratings import RATINGS, clips_of, read_ratings
from merit.files import write_text
from merit.metrics.quality.agreement import agreement
from merit.metrics.quality.listeners import bias_of, listeners_of, panel_shift
from merit.metrics.quality.prediction_table import read_predictions
from merit.metrics.quality.reference_rows import split_half_ceiling
from merit.report.table import Cell, Column, Table, markdown


def analyze_listeners(train: Path, test: Path, predictions: list[Path] = [], output: Path | None = None) -> None:
    """Print, or write, tables of both panels and of what is left of the error of predictions without the bias.

    Args:
        train: data directory whose ratings a model was trained on.
        test: data directory of the test.
        predictions: tables of the test, one for each model.
        output: Markdown file to write in place of printing.
    """
    panels = [list(clips_of(read_ratings(directory / RATINGS)).values()) for directory in (train, test)]
    tables = [listener_table({directory.name: clips for directory, clips in zip((train, test), panels)})]
    shift = panel_shift(*panels)
    rows = [
        ("Systems that both heard", shift.systems),
        (f"Mean of {test.name} less {train.name} over them", shift.difference),
        ("p (Welch, over listeners)", shift.p),
    ]
    ceiling = split_half_ceiling(panels[1])
    if ceiling is not None:
        rows.append(
            ("SRCC over systems, half of the listeners of the test against the other", ceiling["system", "srcc"])
        )
    columns = (Column("what", ""), Column("value", "Value"))
    tables.append(Table("shift", "The panels", columns, tuple((Cell(what), Cell(value)) for what, value in rows)))
    if predictions:
        tables.append(bias_table(predictions))
    text = "\n\n".join(map(markdown, tables)) + "\n"
    if output is None:
        print(text)
    else:
        write_text(output, text)


def listener_table(panels: dict[str, list]) -> Table:
    """A row for each listener of each set."""
    columns = [Column("set", "Set"), Column("listener", "Listener"), Column("ratings", "Ratings")]
    columns += [Column("mean", "Mean"), Column("deviation", "Deviation"), Column("bias", "Bias")]
    rows = [
        (Cell(name), Cell(one.name), Cell(one.ratings), Cell(one.mean), Cell(one.deviation), Cell(one.bias))
        for name, clips in panels.items()
        for one in listeners_of(clips)
    ]
    note = "Bias: mean difference to the others who rated the same clips. Means over listeners are not listed."
    return Table("listeners", "Listeners", tuple(columns), tuple(rows), headings=2, notes=(note,))


def bias_table(predictions: list[Path]) -> Table:
    """A row for each table of predictions."""
    columns = [Column("predictions", "Predictions"), Column("mse", "Utterance MSE")]
    columns += [Column("bias", "Listeners less predicted"), Column("left", "MSE without it")]
    rows = []
    for path in predictions:
        found = read_predictions([path])
        bias, left = bias_of(found.truth, found.answers)
        rows.append((Cell(str(path)), Cell(agreement(found.truth, found.answers).mse), Cell(bias), Cell(left)))
    return Table("bias", "What the bias of the panel costs", tuple(columns), tuple(rows))


if __name__ == "__main__":
    run_command(analyze_listeners)
