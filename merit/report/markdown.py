"""Tables in Markdown that also read well in a terminal."""

from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[bool] | None = None) -> str:
    """A table with aligned columns.

    Args:
        header: headings.
        rows: cells, shown as ``str`` shows them.
        right: whether a column stands to the right; by default those whose cells all are numbers (or a dash) do.
    """
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(header), *cells]) for column in range(len(header))]
    if right is None:
        right = [bool(cells) and all(_is_number(line[column]) for line in cells) for column in range(len(header))]

    def line(values: Sequence[str]) -> str:
        padded = (v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True))
        return f"| {' | '.join(padded)} |"

    ruler = "|".join(f"{'-' * (width + 1)}{':' if r else '-'}" for width, r in zip(widths, right, strict=True))
    return "\n".join([line(header), f"|{ruler}|", *map(line, cells)])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text == "-"
    return True
