"""The pieces of a self-contained HTML page: its frame, tables, figures and players. All text is escaped here."""

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import groupby

from merit.report.environment import describe_environment
from merit.report.figure_style import FigureFile
from merit.report.table import Cell, Table

# Nothing may be fetched from anywhere: a mistake shows in the browser's console instead of on somebody's network.
POLICY = (
    "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


def page(title: str, body: Iterable[str]) -> str:
    """The whole document around its sections; style and script are ``page.css`` and ``page.js`` beside this file."""
    style, script = ((files("merit.report") / name).read_text("utf-8") for name in ("page.css", "page.js"))
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{style}</style>",
            "</head>",
            "<body>",
            *body,
            f"<script>\n{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def table_section(table: Table) -> str:
    """Heading, table and notes."""
    shown = [place for place, column in enumerate(table.columns) if column.shown]
    words = {place for place in shown if any(isinstance(row[place].value, str) for row in table.rows)}
    groups = {place: table.columns[place].group for place in shown}
    first = {place for before, place in zip(shown, shown[1:]) if groups[place] and groups[before] != groups[place]}

    def classes(place: int) -> str:
        names = {"words": place in words, "key": place == table.headings - 1, "first": place in first}
        chosen = " ".join(name for name, holds in names.items() if holds)
        return f' class="{chosen}"' if chosen else ""

    lines = [f'<h3 id="{escape(table.name)}">{escape(table.title)}</h3>', '<div class="scroll"><table>', "<thead>"]
    if any(groups.values()):
        lines.append("<tr>")
        for group, run in groupby(shown, key=groups.__getitem__):
            places = list(run)
            label = next(
                (table.columns[place].group_label for place in places if table.columns[place].group_label), group
            )
            span = f'<th class="group" colspan="{len(places)}" scope="colgroup">{escape(label)}</th>'
            lines += [span] if group else ["<th></th>"] * len(places)
        lines.append("</tr>")
    lines.append("<tr>")
    lines += [f'<th{classes(place)} scope="col">{escape(table.columns[place].label)}</th>' for place in shown]
    lines += ["</tr>", "</thead>", "<tbody>"]
    before = None
    for row in table.rows:
        block = [cell.value for cell in row[: table.blocks]]
        lines.append('<tr class="rule">' if block != before else "<tr>")
        before = block
        for place in shown:
            kind = 'th scope="row"' if place < table.headings else "td"
            lines.append(f"<{kind}{classes(place)}>{_cell(row[place], table.columns[place].digits)}</{kind[:2]}>")
        lines.append("</tr>")
    lines += ["</tbody>", "</table></div>", *(f'<p class="note">{_note(note)}</p>' for note in table.notes)]
    return "\n".join(lines)


def _cell(cell: Cell, digits: int) -> str:
    text = escape(cell.shown(digits))
    if text[:1] == "-" and text[1:2].isdigit():
        text = f"\u2212{text[1:]}"
    text = f"<strong>{text}</strong>" if cell.bold else text
    return text + (f"<sup>{escape(cell.markers)}</sup>" if cell.markers else "")


def _note(note: str) -> str:
    """Escaped text; what stands between backticks becomes code."""
    parts = escape(note).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))


def figure_section(figure: FigureFile) -> str:
    """The picture and its caption."""
    source, caption = data_url("image/png", figure.path.read_bytes()), escape(figure.caption)
    return f'<figure><div><img src="{source}" alt="{caption}"></div><figcaption>{caption}</figcaption></figure>'


def data_url(kind: str, content: bytes) -> str:
    """Content inside of an address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def filter_section(filters: Mapping[str, tuple[str, Mapping[str, str]]]) -> str:
    """Selections that hide the examples with other data; empty when no filter has several choices.

    Args:
        filters: name of the examples' data -> label of the selection, and value -> text of its choices.
    """
    parts = []
    for name, (label, choices) in filters.items():
        if len(choices) > 1:
            options = "".join(f'<option value="{escape(key)}">{escape(text)}</option>' for key, text in choices.items())
            parts.append(
                f'<label>{escape(label)} <select data-filter="{escape(name)}"><option value="">all</option>{options}'
                "</select></label>"
            )
    return f'<div class="filters">{"".join(parts)}</div>' if parts else ""


def example_card(
    data: Mapping[str, str],
    heading: str,
    remarks: Sequence[str],
    facts: Sequence[str],
    players: Sequence[tuple[str, bytes, float]],
) -> str:
    """One recording to be listened to, under what is known of it.

    Args:
        data: name -> value that :func:`filter_section` selects by.
        heading: what it is.
        remarks: quieter, beside the heading.
        facts: HTML, for it may mark words; its text is escaped already.
        players: name, FLAC file and seconds of each.
    """
    values = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    return "\n".join(
        [
            f'<article class="example" {values}>',
            f"<h4>{escape(heading)} {' '.join(f'<span>{escape(remark)}</span>' for remark in remarks)}</h4>",
            f'<div class="facts">{"".join(f"<span>{fact}</span>" for fact in facts)}</div>',
            '<div class="players">',
            *(
                f'<label>{escape(name)}, {seconds:.1f} s<audio controls preload="none" '
                f'src="{data_url("audio/flac", content)}"></audio></label>'
                for name, content, seconds in players
            ),
            "</div></article>",
        ]
    )


def environment_details() -> str:
    """The environment as a list to be unfolded."""
    items = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in describe_environment().items())
    return f"<details><summary>Environment</summary><ul>{items}</ul></details>"


def signed(value: float, digits: int | None = None) -> str:
    """A number with a true minus sign; a dash where it is undefined."""
    if math.isnan(value):
        return "\u2013"
    return (f"{value:g}" if digits is None else f"{value:.{digits}f}").replace("-", "\u2212")
