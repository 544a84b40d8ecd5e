"""egs/distill/local: data directories of other recipes and folders without tables become speech to distil from."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from merit.data.datadir import problems_in, read_table, write_data_directory

LOCAL = Path(__file__).parents[2] / "egs/distill/local"


def write(path: Path, seconds: float = 0.1) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(0).standard_normal(round(16000 * seconds)) / 10
    soundfile.write(path, samples, 16000)
    return str(path)


@pytest.fixture
def acted(tmp_path: Path) -> Path:
    """A recipe's set: one file twice, one too long."""
    wav = {"a1": "a1", "a1-copy": "a1", "b1": "b1", "long": "long"}
    files = {name: write(tmp_path / f"{file}.wav", 30.5 if file == "long" else 0.1) for name, file in wav.items()}
    speakers = {name: name[0] for name in wav}
    write_data_directory(tmp_path / "acted", files, speakers, utt2emo=dict.fromkeys(wav, "sad"))
    return tmp_path / "acted"


def data(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [str(LOCAL / "data.sh"), str(folder / "data"), *arguments]
    environment = {**os.environ, "python": sys.executable}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_every_file_once_and_all_voices_together(acted: Path, tmp_path: Path) -> None:
    write(tmp_path / "recorded/sub/x_1.wav")
    write(tmp_path / "recorded/y_1.flac")
    (tmp_path / "recorded/y_2.wav").write_bytes(Path(write(tmp_path / "whole.wav")).read_bytes()[:-100])
    result = data(tmp_path, "true", f"acted={acted}", f"recorded={tmp_path}/recorded")
    assert result.returncode == 0, result.stderr
    made = tmp_path / "data"
    assert [*read_table(made / "acted/wav.scp")] == ["a1", "b1"]
    assert read_table(made / "acted/utt2emo") == {"a1": "sad", "b1": "sad"}
    assert "1 utterances of more than 30 s are left out" in result.stderr
    assert read_table(made / "recorded/utt2spk") == {"x_1": "recorded-x", "y_1": "recorded-y"}
    assert "left out: y_2" in result.stderr and "truncated" in result.stderr
    voices = read_table(made / "voices/utt2spk")
    assert voices == {"acted-a1": "a", "acted-b1": "b", "recorded-x_1": "recorded-x", "recorded-y_1": "recorded-y"}
    for name in ("acted", "recorded", "voices"):
        assert problems_in(made / name, audio=True) == []


@pytest.mark.parametrize(
    ("speech", "folders", "message"),
    [
        ("acted=none", "", "there is no such directory"),
        ("none", "", "expected name=folder"),
        ("", "recorded=empty", "no audio files here"),
        ("", "recorded=nameless", "with its speaker before the first _"),
    ],
)
def test_what_is_no_speech(tmp_path: Path, speech: str, folders: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path / "nameless/one.wav")
    result = data(tmp_path, "false", speech, folders)
    assert result.returncode == 1 and message in result.stderr and "Traceback" not in result.stderr
