"""Score predictions of speech quality, of whatever model: ``--predictions [fold1.csv,fold2.csv]``."""

import logging
from pathlib import Path

from merit.command import run_command
from merit.metrics.quality.agreement import quality_scores
from merit.metrics.quality.prediction_table import read_predictions

logger = logging.getLogger(__name__)


def score_mos(predictions: list[Path]) -> None:
    """Print MSE, LCC, SRCC and Kendall's tau-b over clips and over the means of systems.

    Args:
        predictions: tables with sheet's columns wav_path,system_id,sample_id,avg_score,answer, scored together as one
            test.
    """
    found = read_predictions(predictions)
    scores = quality_scores(found.systems, found.truth, found.answers)
    if not scores.utterance.count:
        print(f"no scores: none of the {len(found.clips)} clips has a rating (avg_score is empty)")
        return
    for level, agreement, unit in (("utterance", scores.utterance, "clips"), ("system", scores.system, "systems")):
        values = "  ".join(f"{measure.upper()} {value:.4f}" for measure, value in agreement.values().items())
        print(f"{level:9s}  {values}  ({agreement.count} {unit})")
    if unrated := len(found.clips) - scores.utterance.count:
        print(f"{unrated} clips have no rating and are left out")
    if scores.single_clip_systems:
        print(f"{scores.single_clip_systems} systems have one clip: their mean is that of one clip")


if __name__ == "__main__":
    run_command(score_mos)
