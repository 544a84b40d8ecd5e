import logging
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from merit.bin.score_emotion import score_emotion
from merit.bin.score_enhancement import score_enhancement
from merit.bin.sparse_merit.report import report
from merit.bin.sparse_merit.score import score
from merit.errors import MeritError


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def write_condition(folder, condition="test_babble_5dB", utterances=2):
    """A mixed directory and its decoded folder, the "enhanced" audio lying between noisy and clean."""
    tables = {"clean": "", "noisy": "", "enhanced": ""}
    for number in range(utterances):
        rng = np.random.default_rng(number)
        envelope = np.abs(np.sin(np.arange(12800) / 1600))
        clean = 0.2 * envelope * np.sin(np.arange(12800) / 12) + 1e-3 * rng.standard_normal(12800)
        noise = 0.05 * rng.standard_normal(12800)
        for name, share in (("clean", 0.0), ("noisy", 1.0), ("enhanced", 0.3)):
            path = folder / "audio" / condition / f"{name}{number}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, clean + share * noise, 16000)
            tables[name] += f"u{number:02} {path}\n"
    data, decoded = folder / "data" / condition, folder / "exp" / "decode" / condition
    write(data / "spk1.scp", tables["clean"])
    write(data / "wav.scp", tables["noisy"])
    write(data / "utt2emo", "".join(f"u{number:02} {('anger', 'joy')[number % 2]}\n" for number in range(utterances)))
    write(decoded / "wav.scp", tables["enhanced"])
    write(decoded / "utt2emo", "".join(f"u{number:02} joy\n" for number in range(utterances)))
    probabilities = "".join(f"u{number:02},0.2,0.7,0.1\n" for number in range(utterances))
    write(decoded / "posteriors.csv", "utt,anger,joy,sadness\n" + probabilities)
    return data, decoded


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


def test_score_emotion_prints_scores_and_names_unknown_labels(tmp_path, capsys):
    reference = write(tmp_path / "ref", "u1 anger\nu2 joy\nu3 joy\n")
    hypothesis = write(tmp_path / "hyp", "u1 anger\nu2 joy\nu3 anger\n")
    score_emotion(reference, hypothesis, str(tmp_path / "rows.csv"))
    printed = capsys.readouterr().out
    for line in ("F1-macro    0.6667", "F1-micro    0.6667", "UAR         0.7500", "accuracy    0.6667"):
        assert line in printed
    assert "| joy   |     1 |   1 |" in printed
    assert (tmp_path / "rows.csv").read_text().splitlines()[3] == "u3,joy,anger,0"
    with pytest.raises(MeritError, match="u3: unknown hypothesis label 'sad'"):
        score_emotion(reference, write(tmp_path / "hyp", "u1 anger\nu2 joy\nu3 sad\n"))


def test_score_enhancement_prints_the_means(tmp_path, capsys):
    data, decoded = write_condition(tmp_path)
    score_enhancement(str(data / "spk1.scp"), str(decoded / "wav.scp"), str(tmp_path / "rows.csv"), nj=1)
    printed = capsys.readouterr().out
    assert "2 utterances, composite variant matlab" in printed and "| PESQ" in printed
    with pytest.raises(MeritError, match="1 of 2 utterances of the reference are missing: u01"):
        one = write(tmp_path / "one.scp", (decoded / "wav.scp").read_text().splitlines()[0] + "\n")
        score_enhancement(str(data / "spk1.scp"), one, str(tmp_path / "rows.csv"), nj=1)


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
