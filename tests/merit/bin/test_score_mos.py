"""The command that scores any predictions of quality."""

import numpy as np
import pytest

from merit.bin.score_mos import score_mos

HEADER = "wav_path,system_id,sample_id,avg_score,answer\n"


def test_both_levels_are_printed(tmp_path, capsys):
    """Numbers worked out by hand: three systems, of which one has a single clip and one clip has no rating."""
    rows = ["a,s1,1,1,2", "b,s1,2,3,2", "c,s2,1,4,3", "d,s2,2,,5", "e,s3,1,5,5"]
    (tmp_path / "p.csv").write_text(HEADER + "\n".join(rows))
    score_mos([tmp_path / "p.csv"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "utterance  MSE 0.7500  LCC 0.8281  SRCC 0.9487  KTAU 0.9129  (4 clips)"
    assert lines[1] == "system     MSE 0.3333  LCC 0.9286  SRCC 1.0000  KTAU 1.0000  (3 systems)"
    assert lines[2] == "1 clips have no rating and are left out"
    assert lines[3] == "2 systems have one clip: their mean is that of one clip"
    truth, answers = np.array([1, 3, 4, 5]), np.array([2, 2, 3, 5])
    assert np.corrcoef(truth, answers)[0, 1] == pytest.approx(0.8281, abs=5e-5)


def test_a_test_without_ratings_says_so(tmp_path, capsys):
    (tmp_path / "p.csv").write_text(HEADER + "a,s1,1,,2\n")
    score_mos([tmp_path / "p.csv"])
    assert capsys.readouterr().out == "no scores: none of the 1 clips has a rating (avg_score is empty)\n"
