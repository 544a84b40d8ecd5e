"""Enhancement scores of one condition on disk: a record that grows while scoring, and the finished table.

``<name>.jsonl`` gets one line an utterance as it is scored (scores, reasons of undefined ones, a fingerprint of what
was compared), so that a stopped run goes on where it was. ``<name>.csv`` (``utt,PESQ,CSIG,CBAK,COVL,SSNR,STOI``,
sorted, NaN where undefined) appears when all utterances are there.
"""

import csv
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from merit.data.audio import entry_file
from merit.errors import MeritError
from merit.files import csv_text, write_text
from merit.metrics.enhancement.composite import CompositeVariant
from merit.metrics.enhancement.measures import MEASURES, EnhancementScores
from merit.metrics.undefined import mean_of_defined


@dataclass(frozen=True)
class Pair:
    """Two ``wav.scp`` entries to compare."""

    reference: str
    estimate: str

    def fingerprint(self) -> str:
        """Digest of the entries and of the size and time of the files behind them: another file, another digest."""
        state = [self.reference, self.estimate]
        for entry in (self.reference, self.estimate):
            file = entry_file(entry)
            if file is not None and file.is_file():
                status = file.stat()
                state.append(f"{status.st_size} {status.st_mtime_ns}")
        return hashlib.blake2b("\n".join(state).encode(), digest_size=12).hexdigest()


@dataclass(frozen=True)
class Record:
    """One line of the record.

    Attributes:
        utt: utterance.
        compared: fingerprint of the pair.
        composite: variant of the composite measures.
        scores: value of each measure, None where undefined.
        failures: reason for each undefined measure.
        cut: samples that were cut off the longer signal.
    """

    utt: str
    compared: str
    composite: str
    scores: dict[str, float | None]
    failures: dict[str, str]
    cut: int

    @classmethod
    def of(cls, utt: str, compared: str, variant: CompositeVariant, scores: EnhancementScores, cut: int) -> "Record":
        """Make a record of fresh scores."""
        values = {name: None if math.isnan(value) else value for name, value in scores.values.items()}
        return cls(utt, compared, variant, values, scores.failures, cut)


class ScoreSheet:
    """The record and the table of one condition.

    Args:
        path: the table, ``.../enhancement.csv``; the record lies beside it.
        pairs: utterance -> what is compared.
        variant: of the composite measures.

    Lines of an earlier run count when they compared the same files in the same way, by all measures; others are
    dropped. A table that does not hold the scores of these files any more is removed.

    Raises:
        MeritError: when the name of the table does not end in .csv.
    """

    def __init__(self, path: Path, pairs: Mapping[str, Pair], variant: CompositeVariant = "matlab") -> None:
        self.path = path
        if self.path.suffix != ".csv":
            raise MeritError(f"{path}: a table of scores is named *.csv")
        self.pairs = dict(sorted(pairs.items()))
        self.variant = variant
        self.fingerprints = {utt: pair.fingerprint() for utt, pair in self.pairs.items()}
        lines, records = read_records(self.path)
        self.records = {
            utt: record
            for utt, record in records.items()
            if (record.composite, record.compared) == (variant, self.fingerprints.get(utt))
            and record.scores.keys() >= set(MEASURES)  # else one was added since
        }
        if self.pending():
            self.path.unlink(missing_ok=True)
        if lines != len(self.records):
            kept = "".join(_line(record) for record in self.records.values())
            write_text(record_path(self.path), kept)

    def pending(self) -> list[str]:
        """Utterances without a score."""
        return [utt for utt in self.pairs if utt not in self.records]

    def add(self, record: Record) -> None:
        """Append a record to the file at once."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with record_path(self.path).open("a", encoding="utf-8") as file:
            file.write(_line(record))
        self.records[record.utt] = record

    def finish(self) -> None:
        """Write the table if it is not there and every utterance has its scores."""
        if self.path.exists() or self.pending():
            return
        rows = []
        for utt in self.pairs:
            scores = self.records[utt].scores
            rows.append((utt, *("nan" if scores[name] is None else f"{scores[name]:.6f}" for name in MEASURES)))
        write_text(self.path, csv_text(("utt", *MEASURES), rows, line_end="\r\n"))


def record_path(table: Path) -> Path:
    """The record beside a table."""
    return table.with_suffix(".jsonl")


def read_records(table: Path) -> tuple[int, dict[str, Record]]:
    """Number of lines and the records by utterance; a line that was cut by a kill is counted and left out."""
    path = record_path(table)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    records = {}
    for line in lines:
        try:
            record = Record(**json.loads(line))
        except (json.JSONDecodeError, TypeError):
            continue
        records[record.utt] = record
    return len(lines), records


def _line(record: Record) -> str:
    return json.dumps(asdict(record), ensure_ascii=False) + "\n"


def read_enhancement_table(path: Path) -> dict[str, dict[str, float]]:
    """Utterance -> measure -> value (NaN where undefined) of an ``enhancement.csv``.

    Raises:
        MeritError: when the file is missing or has other columns.
    """
    if not path.is_file():
        raise MeritError(f"{path}: not there; score the condition first (stage 6)")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != ["utt", *MEASURES]:
            raise MeritError(
                f"{path}: expected the columns {','.join(('utt', *MEASURES))}, found {reader.fieldnames}; remove it "
                "and score the condition again (stage 6)"
            )
        return {row["utt"]: {name: float(row[name]) for name in MEASURES} for row in reader}


def mean_scores(table: Mapping[str, Mapping[str, float]]) -> tuple[dict[str, float], dict[str, int]]:
    """Mean of every measure over the utterances where it is defined, and the number where it is not."""
    means = {name: mean_of_defined(scores[name] for scores in table.values()) for name in MEASURES}
    failures = {name: sum(math.isnan(scores[name]) for scores in table.values()) for name in MEASURES}
    return means, failures
