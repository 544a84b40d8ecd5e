"""RESULTS.md of an experiment."""

import numpy as np
import pytest

from merit.data.audio import write_audio
from merit.data.rated.rated_set import write_rated_set
from merit.data.rated.ratings import Rating
from merit.errors import MeritError
from merit.systems.moe_mos.results.quality_experiment import Experiment
from merit.systems.moe_mos.results.results_page import write_results

HEADER = "wav_path,system_id,sample_id,avg_score,answer,gate_1,gate_2\n"


@pytest.fixture
def experiment(tmp_path):
    """Two systems of three clips, rated by four listeners; a dev set of other ratings; two seeds of predictions."""
    generator = np.random.default_rng(0)
    lines, dev, tables = [], [], {7: "", 17: ""}
    for system, quality in (("a", 2), ("b", 4)):
        for clip in range(3):
            path = tmp_path / f"{system}{clip}.flac"
            write_audio(path, np.full(800, 0.1, np.float32))
            scores = [quality + int(generator.integers(-1, 2)) for _ in range(4)]
            lines += [Rating(str(path), system, f"{clip}", score, f"L{n}") for n, score in enumerate(scores)]
            dev.append(Rating(str(path), system, f"{clip}", quality, "L9"))
            for seed in tables:
                answer = quality + generator.uniform(-0.5, 0.5)
                tables[seed] += f"{path},{system},{clip},{np.mean(scores):.6g},{answer:.6f},0.6,0.4\n"
    write_rated_set(tmp_path / "test", lines)
    write_rated_set(tmp_path / "dev", dev)
    for seed, text in tables.items():
        (tmp_path / f"exp/m-{seed}").mkdir(parents=True)
        (tmp_path / f"exp/m-{seed}/predictions.csv").write_text(HEADER + text)
    (tmp_path / "other.csv").write_text(HEADER + tables[7])
    return Experiment(tmp_path / "exp", ["m"], [7, 17])


def write(experiment, root, known=True, others=()):
    write_results(experiment, [root / "test"], [root / "dev"] * known, dict(others), [], root / "out", "./run.sh")
    return (root / "out/RESULTS.md").read_text()


def test_the_page_holds_method_references_and_command(experiment, tmp_path):
    text = write(experiment, tmp_path, others={"Other": str(tmp_path / "other.csv")})
    for words in ("| m ", "| Other", "| Condition oracle", "| Split-half ceiling", "- command: `./run.sh`", "in dev."):
        assert words in text, words
    assert "Use of the experts" in text and "Systems, as heard by m" in text
    names = {path.name for path in (tmp_path / "out/tables").iterdir()}
    assert names == {"scores.csv", "intervals.csv", "usage.csv", "systems.csv"}
    assert {path.name for path in (tmp_path / "out/figures").glob("*.png")} == {"agreement.png", "usage.png"}


def test_without_other_ratings_the_oracle_takes_the_other_clips(experiment, tmp_path):
    text = write(experiment, tmp_path, known=False)
    oracle = next(line for line in text.splitlines() if "Condition oracle  " in line)
    assert oracle.count(" - |") == 4  # nothing is said of systems


def test_a_test_without_ratings_cannot_be_scored_and_the_predictions_are_there(experiment, tmp_path):
    for seed in (7, 17):
        path = tmp_path / f"exp/m-{seed}/predictions.csv"
        lines = [line.split(",") for line in path.read_text().splitlines()]
        path.write_text("\n".join(",".join([*row[:3], "" if n else row[3], *row[4:]]) for n, row in enumerate(lines)))
    with pytest.raises(MeritError, match="no clip of the test has a rating, so nothing can be scored; the predictions"):
        write(experiment, tmp_path)


def test_a_predictor_of_other_clips_is_refused(experiment, tmp_path):
    (tmp_path / "other.csv").write_text(HEADER + "x.wav,a,0,3,3,0.5,0.5\n")
    with pytest.raises(MeritError, match="other.csv: not the clips and ratings of the other tables"):
        write(experiment, tmp_path, others={"Other": str(tmp_path / "other.csv")})
