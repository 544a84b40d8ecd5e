"""Score a decoded model on all test conditions."""

import logging
from pathlib import Path

from merit.command import run_command
from merit.data.datadir import read_table, require_stored
from merit.errors import MeritError
from merit.metrics.enhancement.composite import CompositeVariant
from merit.metrics.enhancement.score_sheet import ScoreSheet
from merit.metrics.enhancement.scoring import pair_tables, score_sheets
from merit.metrics.label_table import compare_labels
from merit.systems.sparse_merit.results.run_files import (
    EMOTION_TABLE,
    ENHANCED,
    ENHANCEMENT_TABLE,
    POSTERIORS,
    RECOGNISED,
    read_posteriors,
)

logger = logging.getLogger(__name__)


def score(
    data: list[str],
    decode: str,
    output: str,
    noisy: str | None = None,
    composite: CompositeVariant = "matlab",
    nj: int = 2,
) -> None:
    """Write emotion.csv and enhancement.csv of every condition; what is already scored is not scored again.

    Args:
        data: data directories of the conditions, as data/test_babble_5dB.
        decode: folder of the decoded conditions, as exp/sparse_merit-7/decode.
        output: folder of the scores, as exp/sparse_merit-7/score.
        noisy: folder of the scores of the noisy input, computed once for all models.
        composite: matlab (equal to the authors' MATLAB files) or cmgan (comparable with the paper's Table II).
        nj: number of processes.
    """
    require_stored(*map(Path, data))
    sheets = []
    for directory in map(Path, data):
        decoded, scores = Path(decode) / directory.name, Path(output) / directory.name
        has_emotion, has_audio = (decoded / RECOGNISED).exists(), (decoded / ENHANCED).exists()
        if not has_emotion and not has_audio:
            raise MeritError(
                f"{decoded}: neither {RECOGNISED} nor {ENHANCED}; "
                f"decode {directory} first (merit.bin.sparse_merit.decode)"
            )
        if has_emotion:
            posteriors = decoded / POSTERIORS
            classes, probabilities = read_posteriors(posteriors) if posteriors.exists() else (None, None)
            where = str(decoded / RECOGNISED)
            reference = read_table(directory / "utt2emo")
            compare_labels(reference, read_table(where), where, classes, probabilities).write(scores / EMOTION_TABLE)
        else:
            logger.info("%s: no %s, so there are no emotion scores", decoded, RECOGNISED)
        if not (directory / "spk1.scp").exists():
            logger.info("%s: no clean reference (spk1.scp), so there are no enhancement scores", directory)
            continue
        clean = read_table(directory / "spk1.scp")
        if has_audio:
            pairs = pair_tables(clean, read_table(decoded / ENHANCED), str(decoded / ENHANCED))
            sheets.append(ScoreSheet(scores / ENHANCEMENT_TABLE, pairs, composite))
        else:
            logger.info("%s: no enhanced audio (%s), so there are no enhancement scores", decoded, ENHANCED)
        if noisy is not None:
            pairs = pair_tables(clean, read_table(directory / "wav.scp"), str(directory / "wav.scp"))
            sheets.append(ScoreSheet(Path(noisy) / directory.name / ENHANCEMENT_TABLE, pairs, composite))
    score_sheets(sheets, nj)


if __name__ == "__main__":
    run_command(score)
