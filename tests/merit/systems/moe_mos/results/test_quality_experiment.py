"""Where the predictions of an experiment lie."""

import pytest

from merit.errors import MeritError
from merit.systems.moe_mos.results.quality_experiment import Experiment, predictions_of

HEADER = "wav_path,system_id,sample_id,avg_score,answer,gate_1,gate_2\n"


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))


def test_folds_and_tags(tmp_path):
    experiment = Experiment(tmp_path, ["m"], [7], "try", ["fold1", "fold2"])
    paths = experiment.tables("m", 7)
    assert paths == [tmp_path / f"m_try-7/{fold}/predictions.csv" for fold in ("fold1", "fold2")]
    write(paths[0], "b.wav,s,b,3,2,0.5,0.5")
    write(paths[1], "a.wav,s,a,4,5,0.1,0.9")
    (found,) = predictions_of(experiment)["m"]
    assert found.clips == ("s-a", "s-b") and found.answers.tolist() == [5, 2] and found.gates[0].tolist() == [0.1, 0.9]
    assert Experiment(tmp_path, ["m"], [7]).tables("m", 7) == [tmp_path / "m-7/predictions.csv"]


def test_tables_of_different_tests_are_not_compared(tmp_path):
    write(tmp_path / "m-7/predictions.csv", "a.wav,s,a,4,5,0.1,0.9")
    write(tmp_path / "n-7/predictions.csv", "a.wav,s,a,3,5,0.1,0.9")
    with pytest.raises(MeritError, match="n-7/predictions.csv: not the clips and ratings of the other tables"):
        predictions_of(Experiment(tmp_path, ["m", "n"], [7]))
