"""Scores of enhanced speech: printed, stopped and gone on with."""

import os
import signal
import subprocess
import sys
import time

import pytest
from decoded_condition import write, write_condition

from merit.bin.score_enhancement import score_enhancement
from merit.errors import MeritError


def test_score_enhancement_prints_the_means(tmp_path, capsys):
    data, decoded = write_condition(tmp_path)
    score_enhancement(data / "spk1.scp", decoded / "wav.scp", tmp_path / "rows.csv", nj=1)
    printed = capsys.readouterr().out
    assert "2 utterances, composite variant matlab" in printed and "| PESQ" in printed
    with pytest.raises(MeritError, match="1 of 2 utterances of the reference are missing: u01"):
        one = write(tmp_path / "one.scp", (decoded / "wav.scp").read_text().splitlines()[0] + "\n")
        score_enhancement(data / "spk1.scp", one, tmp_path / "rows.csv", nj=1)


def test_the_command_stops_at_ctrl_c_and_goes_on(tmp_path):
    data, decoded = write_condition(tmp_path, utterances=30)
    command = [sys.executable, "-m", "merit.bin.score_enhancement", "--nj", "2", "--output", str(tmp_path / "rows.csv")]
    command += ["--reference", str(data / "spk1.scp"), "--estimate", str(decoded / "wav.scp")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not (tmp_path / "rows.jsonl").exists() and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    done = len((tmp_path / "rows.jsonl").read_text().splitlines())
    assert 0 < done < 30 and not (tmp_path / "rows.csv").exists()
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "30 utterances" in again.stdout
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 30
