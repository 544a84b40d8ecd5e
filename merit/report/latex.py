"""Tables in LaTeX with booktabs."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

WIDE = 120
"""Characters in a row, with two between columns, that fit the width of a page; a table with more is scaled to it."""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "α": r"$\alpha$",
}
_MINUS = re.compile(r"(?<![\w.])-(?=\d)")


@dataclass(frozen=True)
class LatexCell:
    """Plain text of a cell, whether it is bold, and its superscript."""

    text: str
    bold: bool = False
    markers: str = ""

    def __str__(self) -> str:
        text = f"\\textbf{{{escape(self.text)}}}" if self.bold else escape(self.text)
        return text + (f"\\textsuperscript{{{escape(self.markers)}}}" if self.markers else "")


def escape(text: str) -> str:
    """Plain text as LaTeX that prints it.

    The hyphen of a negative number becomes a minus sign, and what stands in backticks, as in Markdown, typewriter.
    """
    if text == "-":
        return "--"
    parts = ["".join(_SPECIAL.get(character, character) for character in part) for part in text.split("`")]
    parts[::2] = [_MINUS.sub("$-$", part) for part in parts[::2]]
    if len(parts) % 2 == 0:  # a backtick without its partner
        return "`".join(parts)
    return "".join(f"\\texttt{{{part}}}" if odd % 2 else part for odd, part in enumerate(parts))


def table_environment(
    label: str,
    title: str,
    groups: Sequence[str],
    header: Sequence[str],
    left: Sequence[bool],
    blocks: Sequence[Sequence[Sequence[LatexCell]]],
    notes: Sequence[str] = (),
) -> str:
    """A complete ``table*``, to be included by a document that loads booktabs, and graphicx, which scales wide ones.

    Args:
        label: for ``\\ref{tab:label}``.
        title: caption.
        groups: the group of every column, empty for none; columns of one group share a heading above their own.
        header: heading of every column.
        left: whether the column stands to the left.
        blocks: rows in blocks; rules stand between the blocks.
        notes: sentences below.
    """
    rows = [row for block in blocks for row in block]
    widths = (max(len(cell) for cell in column) for column in zip(header, *([c.text for c in row] for row in rows)))
    wide = sum(2 + width for width in widths) > WIDE
    lines = [
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table*}",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{escape(title)}}}",
        rf"\label{{tab:{label}}}",
        *([r"\resizebox{\textwidth}{!}{%"] if wide else []),
        rf"\begin{{tabular}}{{{''.join('l' if text else 'r' for text in left)}}}",
        r"\toprule",
        *(_group_lines(groups) if any(groups) else ()),
        _line(map(escape, header)),
    ]
    for block in blocks:
        lines += [r"\midrule", *(_line(map(str, row)) for row in block)]
    lines += [r"\bottomrule", r"\end{tabular}" + ("}" if wide else "")]
    if notes:
        lines += [r"\par\medskip", r"\parbox{\textwidth}{\footnotesize", " ".join(map(escape, notes)), "}"]
    return "\n".join([*lines, r"\end{table*}", ""])


def _group_lines(groups: Sequence[str]) -> list[str]:
    cells, rules, first = [], [], 1
    for group, run in groupby(groups):
        span = len(list(run))
        if group:
            cells.append(rf"\multicolumn{{{span}}}{{c}}{{{escape(group)}}}")
            rules.append(rf"\cmidrule(lr){{{first}-{first + span - 1}}}")
        else:
            cells += [""] * span
        first += span
    return [_line(cells), "".join(rules)]


def _line(cells: Iterable[str]) -> str:
    return f"{' & '.join(cells)} \\\\"
