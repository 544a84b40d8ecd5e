"""Scores of recognised emotions, printed."""

import pytest
from decoded_condition import write

from merit.bin.score_emotion import score_emotion
from merit.errors import MeritError


def test_score_emotion_prints_scores_and_names_unknown_labels(tmp_path, capsys):
    reference = write(tmp_path / "ref", "u1 anger\nu2 joy\nu3 joy\n")
    hypothesis = write(tmp_path / "hyp", "u1 anger\nu2 joy\nu3 anger\n")
    score_emotion(reference, hypothesis, tmp_path / "rows.csv")
    printed = capsys.readouterr().out
    for line in ("F1-macro    0.6667", "F1-micro    0.6667", "UAR         0.7500", "accuracy    0.6667"):
        assert line in printed
    assert "| joy   |     1 |   1 |" in printed
    assert (tmp_path / "rows.csv").read_text().splitlines()[3] == "u3,joy,anger,0"
    with pytest.raises(MeritError, match="u3: unknown hypothesis label 'sad'"):
        score_emotion(reference, write(tmp_path / "hyp", "u1 anger\nu2 joy\nu3 sad\n"))
