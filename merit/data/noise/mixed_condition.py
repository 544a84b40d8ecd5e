"""A mixed data directory while it is made: its audio, the record of what is mixed already, and its tables at the end.

The record, ``mixing.jsonl`` beside the audio, has the settings in its first line and one line for each utterance, so
that a run that was stopped goes on. The data directory is written whole or not at all.
"""

import json
import logging
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import joblib

from merit.data.datadir import read_table, write_data_directory
from merit.data.noise.mixing import SIGNALS
from merit.files import write_text
from merit.progress import progress
from merit.time_grid import SAMPLE_RATE

logger = logging.getLogger(__name__)

Work = TypeVar("Work")
"""What is to be mixed, as whoever mixes it needs it."""
Name = TypeVar("Name", bound=Hashable)
"""Of a condition, among those that are made at once."""


@dataclass(frozen=True)
class Mixed:
    """A line of the record ``mixing.jsonl``: what became of one utterance at one SNR.

    Attributes:
        utterance: its name.
        speech: stamp of the speech that was mixed (``merit.data.audio.entry_stamp``).
        noise: the noise file.
        offset: its first sample in the mixture, at 16 kHz.
        skipped: silent noise pieces that were drawn before this one.
        gain: of the reference, against the speech that was mixed; 1 where nothing was drawn or would have clipped.
        measured: SNR in dB of the written 16-bit files.
        samples: length at 16 kHz.
        rir: the impulse response that the speech was convolved with; None for none.
        snr: in dB, where it was drawn for this utterance; None where it is that of the condition.
        telephone: whether it is heard through a telephone's band; None where nothing is.
    """

    utterance: str
    speech: str
    noise: str
    offset: int
    skipped: int
    gain: float
    measured: float
    samples: int
    rir: str | None = None
    snr: float | None = None
    telephone: bool | None = None

    def line(self) -> str:
        """The line of the record; what is None is not mentioned."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None}) + "\n"


@dataclass
class Condition:
    """Mixed directory, audio folder, the settings its audio depends on, and what is mixed already.

    ``settings`` has the ``snr`` (dB), unless one is drawn for each utterance.
    """

    directory: Path
    folder: Path
    settings: dict[str, object]
    mixed: dict[str, Mixed]

    @property
    def record(self) -> Path:
        return self.folder / "mixing.jsonl"

    def read_record(self, stamps: Mapping[str, str]) -> None:
        """Read what is mixed already from the same speech, with the same settings, and still there.

        Args:
            stamps: of the speech, by utterance.
        """
        if not self.record.is_file():
            return
        header, *lines = self.record.read_text(encoding="utf-8").splitlines() or [""]
        if header != json.dumps(self.settings):
            logger.info("%s: was made with other noise or settings; mixing again", self.folder)
            return
        for line in lines:
            try:
                row = Mixed(**json.loads(line))
            except (ValueError, TypeError):
                continue  # half a line, where a run was killed
            files = (self.folder / signal / f"{row.utterance}.flac" for signal in SIGNALS)
            if stamps.get(row.utterance) == row.speech and all(file.is_file() for file in files):
                self.mixed[row.utterance] = row

    def begin(self) -> None:
        """From now on the directory is not whole, and the record is open for more."""
        (self.directory / "wav.scp").unlink(missing_ok=True)  # not whole until all is mixed again
        for left_behind in self.folder.glob("*/.*.tmp.flac"):  # of a process that was killed
            left_behind.unlink()
        rows = [json.dumps(self.settings) + "\n", *(row.line() for row in self.mixed.values())]
        write_text(self.record, "".join(rows))

    def write_tables(self, data: Path, wav: Mapping[str, str]) -> None:
        """Write the mixed directory, unless it holds these very tables already (their time stamps then stay).

        Args:
            data: the data directory that was mixed.
            wav: its utterances, all of which are mixed.
        """
        rows = {utterance: self.mixed[utterance] for utterance in wav}
        scps = {
            signal: {utterance: str(self.folder / signal / f"{utterance}.flac") for utterance in wav}
            for signal in SIGNALS
        }
        tables = {file.name: read_table(file) for file in sorted(data.glob("utt2*"))} | {
            # Of the mixed samples, since the recipe's may be rounded, and frame counts follow from it.
            "utt2dur": {utterance: str(row.samples / SAMPLE_RATE) for utterance, row in rows.items()},
            "utt2snr": {utterance: f"{self.settings.get('snr', row.snr):g}" for utterance, row in rows.items()},
            "utt2snr_measured": {utterance: f"{row.measured:.3f}" for utterance, row in rows.items()},
            "utt2noise": {utterance: f"{row.noise} {row.offset}" for utterance, row in rows.items()},
            "utt2gain": {utterance: f"{row.gain:.9g}" for utterance, row in rows.items()},
            "spk1.scp": scps["clean"],
            "noise1.scp": scps["noise"],
        }
        if any(row.rir is not None for row in rows.values()):
            tables["utt2rir"] = {utterance: row.rir or "none" for utterance, row in rows.items()}
        if any(row.telephone is not None for row in rows.values()):
            tables["utt2telephone"] = {utterance: str(row.telephone).lower() for utterance, row in rows.items()}
        for name in {"utt2rir", "utt2telephone"} - tables.keys():
            (self.directory / name).unlink(missing_ok=True)  # of an earlier mixing
        present = {"wav.scp": scps["noisy"], **tables}
        paths = {name: self.directory / name for name in present}
        if all(paths[name].is_file() and read_table(paths[name]) == table for name, table in present.items()):
            logger.info("%s: complete", self.directory)
            return
        write_data_directory(self.directory, scps["noisy"], **tables)
        logger.info("%s: %d utterances", self.directory, len(rows))


def mix_all(
    work: Sequence[Work],
    mix: Callable[[Work], dict[Name, Mixed] | str],
    conditions: Mapping[Name, Condition],
    nj: int,
) -> list[str]:
    """Mix, write down each result as it comes, and return the problems of those that cannot be mixed.

    Args:
        work: one piece for each utterance.
        mix: mixes it, in a process of its own, and returns what came of it in every condition, or what the problem is.
        conditions: those that are not whole.
        nj: processes.
    """
    problems: dict[str, None] = {}
    redrawn = 0
    with ExitStack() as stack:
        streams = {}
        for name, condition in conditions.items():
            condition.begin()
            streams[name] = stack.enter_context(condition.record.open("a", encoding="utf-8"))
        bar = stack.enter_context(progress(len(work), "mixing", "utt"))
        stack.enter_context(joblib.parallel_config(backend="loky", inner_max_num_threads=1))
        parallel = joblib.Parallel(n_jobs=nj, return_as="generator_unordered")
        for result in parallel(joblib.delayed(mix)(piece) for piece in work):
            bar.update()
            if isinstance(result, str):
                problems[result] = None
                continue
            for name, row in result.items():
                conditions[name].mixed[row.utterance] = row
                streams[name].write(row.line())
                streams[name].flush()
                asked = conditions[name].settings.get("snr", row.snr)
                if abs(row.measured - asked) > 0.1:
                    message = "%s: %g dB asked, %.2f dB measured, since 16 bits are too coarse for a signal so quiet"
                    logger.warning(message, row.utterance, asked, row.measured)
            redrawn += any(row.skipped for row in result.values())
    if redrawn:
        logger.info("%d utterances drew silent noise first and got another piece (skipped in mixing.jsonl)", redrawn)
    return list(problems)
