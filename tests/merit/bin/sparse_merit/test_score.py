"""The command that scores what was decoded."""

import logging

import pytest
from decoded_condition import write_condition

from merit.bin.sparse_merit.score import score
from merit.errors import MeritError
from merit.metrics.enhancement.score_sheet import mean_scores, read_enhancement_table


def test_every_task_is_scored_once(tmp_path):
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
    noisy, enhanced = (
        mean_scores(read_enhancement_table(tmp_path / folder / "test_babble_5dB/enhancement.csv"))[0]
        for folder in ("noisy", "exp/score")
    )
    assert enhanced["SSNR"] > noisy["SSNR"]


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
