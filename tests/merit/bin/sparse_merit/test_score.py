"""Scores of a decoded model, and the page that they make."""

import logging

import pytest
from made_condition import write, write_condition

from merit.bin.sparse_merit.report import report
from merit.bin.sparse_merit.score import score
from merit.errors import MeritError


def test_score_then_report(tmp_path):
    data, _ = write_condition(tmp_path)
    names = dict(decode="exp/decode", output="exp/score", noisy="noisy")
    folders = {name: str(tmp_path / folder) for name, folder in names.items()}
    score([str(data)], **folders, nj=1)
    emotion = (tmp_path / "exp/score/test_babble_5dB/emotion.csv").read_text().splitlines()
    assert emotion[0] == "utt,reference,hypothesis,correct,anger,joy,sadness"
    table = tmp_path / "exp/score/test_babble_5dB/enhancement.csv"
    before = table.stat().st_mtime_ns
    score([str(data)], **folders, nj=1)
    assert table.stat().st_mtime_ns == before

    description = '{"description": {"model": {}, "classes": [], "ssl": "x", "num_states": 2, "hidden_size": 4}}'
    write(tmp_path / "exp/config.json", description)
    page = tmp_path / "RESULTS.md"
    report(str(tmp_path / "exp"), folders["output"], str(page), folders["noisy"], noise_seen=["babble"])
    text = page.read_text()
    assert "Noisy" in text and "Enhanced" in text and "babble \\*" in text


def test_a_head_alone_is_scored_alone(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    data, decoded = write_condition(tmp_path)
    (decoded / "wav.scp").unlink()
    score([str(data)], str(tmp_path / "exp/decode"), str(tmp_path / "score"), nj=1)
    assert [path.name for path in (tmp_path / "score/test_babble_5dB").iterdir()] == ["emotion.csv"]
    assert "no enhanced audio" in caplog.text
    (decoded / "utt2emo").unlink()
    with pytest.raises(MeritError, match="decode .*test_babble_5dB first"):
        score([str(data)], str(tmp_path / "exp/decode"), str(tmp_path / "score"), nj=1)
