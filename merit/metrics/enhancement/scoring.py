"""Scoring many utterances of many conditions in parallel processes."""

import logging
import multiprocessing
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass

from merit.data.audio import read_audio
from merit.errors import MeritError
from merit.metrics.enhancement.composite import CompositeVariant
from merit.metrics.enhancement.measures import enhancement_scores
from merit.metrics.enhancement.score_sheet import Pair, Record, ScoreSheet
from merit.processes import end_with_parent, quiet_processes
from merit.progress import progress

logger = logging.getLogger(__name__)

SHOWN = 5  # names in a message


@dataclass(frozen=True)
class Scoring:
    """Two files to compare: where its row goes, what is compared and how."""

    sheet: int
    pair: Pair
    fingerprint: str
    variant: CompositeVariant


def pair_tables(reference: Mapping[str, str], estimate: Mapping[str, str], where: str) -> dict[str, Pair]:
    """Pair the entries of two ``wav.scp`` tables by utterance.

    Raises:
        MeritError: when the estimate lacks utterances of the reference; ``where`` names the estimate's table.
    """
    if missing := sorted(reference.keys() - estimate.keys()):
        names = " ".join(missing[:SHOWN])
        raise MeritError(
            f"{where}: {len(missing)} of {len(reference)} utterances of the reference are missing: {names}"
            f"{' ...' if len(missing) > SHOWN else ''}; decode them, or take them out of the reference"
        )
    if unused := sorted(estimate.keys() - reference.keys()):
        logger.warning("%s: %d utterances have no reference and are left out, as %s", where, len(unused), unused[0])
    return {utt: Pair(reference[utt], estimate[utt]) for utt in reference}


def score_sheets(sheets: list[ScoreSheet], nj: int = 2) -> None:
    """Score what the sheets have pending in ``nj`` processes and write the tables that become complete.

    One job is one utterance with its estimates of all conditions, so that work on its clean speech is shared. Every
    result is on disk as soon as it is there.

    Raises:
        MeritError: after everything else is done, when utterances could not be read or compared; names them.
    """
    if nj < 1:
        raise MeritError(f"--nj {nj}: expected the number of processes, at least 1")
    jobs: dict[str, list[Scoring]] = defaultdict(list)
    for number, sheet in enumerate(sheets):
        for utt in sheet.pending():
            jobs[utt].append(Scoring(number, sheet.pairs[utt], sheet.fingerprints[utt], sheet.variant))
    problems: list[str] = []
    total = sum(map(len, jobs.values()))
    # Closing ends the processes also when Ctrl-C arrives between two results.
    with progress(total, "scoring", "utt") as bar, closing(_run(jobs, nj)) as finished:
        for results in finished:
            for number, result in results:
                if isinstance(result, Record):
                    sheets[number].add(result)
                else:
                    problems.append(result)
                bar.update()
    for sheet in sheets:
        sheet.finish()
        _log_oddities(sheet)
    if problems:
        raise MeritError(
            f"{len(problems)} utterances could not be scored:\n  "
            + "\n  ".join(sorted(problems)[:SHOWN])
            + ("\n  ..." if len(problems) > SHOWN else "")
            + "\nThe scores of the others are kept; mend these and run the same command again"
        )


def _run(jobs: Mapping[str, list[Scoring]], nj: int) -> Iterator[list[tuple[int, Record | str]]]:
    """Results of the jobs as they come."""
    if nj == 1 or len(jobs) <= 1:
        yield from (_score_utterance(utt, scorings) for utt, scorings in jobs.items())
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(nj, len(jobs)), context, initializer=end_with_parent) as pool:
        try:
            with quiet_processes():  # they are started by submit
                futures: list[Future] = [pool.submit(_score_utterance, utt, scorings) for utt, scorings in jobs.items()]
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise MeritError(
                "a scoring process was killed, perhaps for want of memory; what was scored is kept, "
                "run the same command again with a smaller --nj"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _score_utterance(utt: str, scorings: list[Scoring]) -> list[tuple[int, Record | str]]:
    """Score all estimates of one utterance; the number of the sheet with a record, or with what is wrong."""
    references = {}
    results: list[tuple[int, Record | str]] = []
    for scoring in scorings:
        try:
            if scoring.pair.reference not in references:
                references[scoring.pair.reference] = read_audio(scoring.pair.reference, utt)
            reference, estimate = references[scoring.pair.reference], read_audio(scoring.pair.estimate, utt)
            try:
                scores = enhancement_scores(reference, estimate, scoring.variant)
            except MeritError as error:
                raise MeritError(f"{utt}: {scoring.pair.estimate}: {error}") from error
            cut = abs(len(reference) - len(estimate))
            results.append((scoring.sheet, Record.of(utt, scoring.fingerprint, scoring.variant, scores, cut)))
        except MeritError as error:
            results.append((scoring.sheet, str(error)))
    return results


def _log_oddities(sheet: ScoreSheet) -> None:
    """Say once for the sheet what was cut and which scores are undefined."""
    if cuts := [record.cut for record in sheet.records.values() if record.cut]:
        logger.info("%s: %d pairs cut to the shorter one, by up to %d samples", sheet.path, len(cuts), max(cuts))
    failed = [record for record in sheet.records.values() if record.failures]
    for record in failed[:SHOWN]:
        reason = next(iter(record.failures.values()))
        logger.warning("%s: %s has no %s: %s", sheet.path, record.utt, " ".join(record.failures), reason)
    if len(failed) > SHOWN:
        logger.warning("%s: %d more utterances; see the .jsonl beside it", sheet.path, len(failed) - SHOWN)
