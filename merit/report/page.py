"""The pieces of a self-contained HTML page: its frame, tables, figures and players. All text is escaped here."""

import base64
import math
from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from merit.report.figure_style import FigureFile
from merit.report.table import Cell, Table
from merit.systems.sparse_merit.page.examples import Example

STYLE = """
:root { color-scheme: light; --line: #d5d8dc; --soft: #f4f5f7; --quiet: #57606a; --accent: #0b5a94; }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem 1.25rem 4rem; background: #fff; color: #1b1f24;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.4rem; margin: 3rem 0 1rem; padding-bottom: .3rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
p { margin: .4rem 0; max-width: 52rem; }
a { color: var(--accent); }
nav { margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; }
.quiet, .note, figcaption { color: var(--quiet); }
.note { font-size: .875rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: .3rem .65rem; text-align: right; white-space: nowrap; }
th.words, td.words { text-align: left; }
thead th { background: var(--soft); font-weight: 600; border-bottom: 1px solid var(--line); }
thead th.group { text-align: center; border-left: 1px solid var(--line); }
tbody th { font-weight: 400; }
tbody tr.rule > * { border-top: 1px solid var(--line); }
.key { position: sticky; left: 0; background: #fff; }
thead .key { background: var(--soft); }
.first { border-left: 1px solid var(--line); }
figure { margin: 1.5rem 0 2.5rem; }
figure div { overflow-x: auto; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { font-size: .875rem; margin-top: .5rem; max-width: 52rem; }
.filters { display: flex; flex-wrap: wrap; gap: .5rem 1.2rem; align-items: center; margin: 1rem 0; }
select { font: inherit; padding: .2rem .4rem; }
.example { border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem .8rem; margin: .8rem 0; }
.example h4 { margin: 0; font-size: 1rem; display: flex; flex-wrap: wrap; gap: 0 .8rem; overflow-wrap: anywhere; }
.example h4 span { font-weight: 400; color: var(--quiet); }
.facts { display: flex; flex-wrap: wrap; gap: .1rem 1.6rem; margin: .3rem 0 .6rem; font-size: .9375rem; }
.wrong { color: #a3320b; }
.players { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .5rem 1rem; }
.players label { display: block; font-size: .875rem; color: var(--quiet); }
audio { display: block; width: 100%; height: 40px; }
sup { font-size: .7em; line-height: 0; margin-left: .1em; }
@media (max-width: 40rem) {
  table { font-size: .8125rem; }
  th, td { padding: .25rem .45rem; }
  figure img { max-width: none; width: 44rem; }
  tbody th.key { white-space: normal; min-width: 7rem; }
}
[hidden] { display: none !important; }
details { margin-top: 3rem; font-size: .875rem; }
"""

SCRIPT = """
document.addEventListener("play", (event) => {
  for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
}, true);
const filters = [...document.querySelectorAll("select[data-filter]")];
const filter = () => {
  for (const example of document.querySelectorAll(".example"))
    example.hidden = filters.some((of) => of.value && example.dataset[of.dataset.filter] !== of.value);
};
filters.forEach((of) => of.addEventListener("change", filter));
filter();
"""

# Nothing may be fetched from anywhere: a mistake shows in the browser's console instead of on somebody's network.
POLICY = (
    "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


def page(title: str, body: Iterable[str]) -> str:
    """The whole document around its sections."""
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
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            *body,
            f"<script>{SCRIPT}</script>",
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


def filter_section(examples: Sequence[Example]) -> str:
    """Choices of model, noise and SNR, each where there are several."""
    values = {
        "model": {_model(example): f"{example.run.name}, seed {example.run.seed}" for example in examples},
        "noise": {example.condition.noise: example.condition.noise for example in examples},
        "snr": {f"{snr:g}": f"{_signed(snr)} dB" for snr in sorted({example.condition.snr for example in examples})},
    }
    parts = []
    for name, choices in values.items():
        if len(choices) > 1:
            options = "".join(f'<option value="{escape(key)}">{escape(text)}</option>' for key, text in choices.items())
            label = "SNR" if name == "snr" else name
            parts.append(
                f'<label>{label} <select data-filter="{name}"><option value="">all</option>{options}</select></label>'
            )
    return f'<div class="filters">{"".join(parts)}</div>' if parts else ""


def example_section(example: Example, players: Sequence[tuple[str, bytes, float]]) -> str:
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
        before, after = (_signed(value, 2) for value in example.scores[measure])
        facts.append(f"{measure} {before} \u2192 {after}{unit}")
    return "\n".join(
        [
            f'<article class="example" data-model="{escape(_model(example))}" data-noise="{escape(condition.noise)}" '
            f'data-snr="{condition.snr:g}">',
            f"<h4>{escape(example.utterance)} <span>{escape(condition.noise)}, {_signed(condition.snr)} dB</span> "
            f"<span>{escape(example.run.name)}, seed {example.run.seed}</span></h4>",
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


def _model(example: Example) -> str:
    return f"{example.run.method}-{example.run.seed}"


def _signed(value: float, digits: int | None = None) -> str:
    """A number with a true minus sign; a dash where it is undefined."""
    if math.isnan(value):
        return "\u2013"
    return (f"{value:g}" if digits is None else f"{value:.{digits}f}").replace("-", "\u2212")
