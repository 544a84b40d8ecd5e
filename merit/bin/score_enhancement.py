"""Score enhanced speech against its clean reference."""

from pathlib import Path

from merit.command import run_command
from merit.data.datadir import read_table
from merit.metrics.enhancement.composite import CompositeVariant
from merit.metrics.enhancement.measures import MEASURES
from merit.metrics.enhancement.score_sheet import ScoreSheet, mean_scores, read_enhancement_table
from merit.metrics.enhancement.scoring import pair_tables, score_sheets
from merit.report.markdown import markdown_table


def score_enhancement(
    reference: Path, estimate: Path, output: Path, composite: CompositeVariant = "matlab", nj: int = 2
) -> None:
    """Write PESQ, CSIG, CBAK, COVL, SSNR and STOI of every utterance and print their means.

    Undefined scores (digital silence, no speech found, too short) are nan, counted, and left out of the means.
    A stopped run goes on where it was.

    Args:
        reference: table of utterances and clean audio (spk1.scp).
        estimate: table of the same utterances and enhanced audio (wav.scp).
        output: table to write, one row an utterance (utt,PESQ,CSIG,CBAK,COVL,SSNR,STOI), as rows.csv.
        composite: matlab (equal to the authors' MATLAB files) or cmgan (comparable with the paper's Table II).
        nj: number of processes.
    """
    pairs = pair_tables(read_table(reference), read_table(estimate), str(estimate))
    score_sheets([ScoreSheet(output, pairs, composite)], nj)
    table = read_enhancement_table(output)
    means, failures = mean_scores(table)
    print(f"{len(table)} utterances, composite variant {composite}")
    rows = [(name, f"{means[name]:.4f}", failures[name]) for name in MEASURES]
    print(markdown_table(("measure", "mean", "undefined"), rows))


if __name__ == "__main__":
    run_command(score_enhancement)
