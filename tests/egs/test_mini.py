"""egs/mini/local: the corpus that espeak-ng speaks, and the noises."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from merit.data.datadir import problems_in, read_table

RECIPE = Path(__file__).parents[2] / "egs/mini"
SETS = ("train", "dev", "test", "babble")


def run(script: str, *options: object) -> subprocess.CompletedProcess:
    """Run a script of the recipe as ``local/data.sh`` does."""
    command = [sys.executable, f"local/{script}", *map(str, options)]
    environment = {**os.environ, "PYTHONPATH": str(RECIPE.parents[1])}
    return subprocess.run(command, cwd=RECIPE, env=environment, capture_output=True, text=True, check=True)


def speak(folder: Path, nj: int) -> Path:
    counts = ("--train", 4, "--dev", 4, "--test", 4, "--babble", 2)
    run("prepare_mini.py", "--corpus", folder / "audio", "--output", folder / "data", *counts, "--nj", nj)
    return folder


@pytest.fixture(scope="module")
def mini(tmp_path_factory) -> Path:
    return speak(tmp_path_factory.mktemp("mini"), nj=2)


def test_every_set_is_a_valid_data_directory(mini):
    for name in SETS:
        assert problems_in(mini / "data" / name, classes=("angry", "happy", "neutral", "sad"), audio=True) == []


def test_no_speaker_is_in_two_sets(mini):
    speakers = {name: set(read_table(mini / "data" / name / "spk2utt")) for name in SETS}
    assert sum(map(len, speakers.values())) == len(set.union(*speakers.values()))
    assert len(speakers["train"] | speakers["dev"] | speakers["test"]) >= 8
    assert len(speakers["babble"]) >= 4


def test_classes_are_balanced(mini):
    for name in ("train", "dev", "test"):
        assert len(set(Counter(read_table(mini / "data" / name / "utt2emo").values()).values())) == 1


def test_durations_are_those_of_the_audio(mini):
    durations = read_table(mini / "data/dev/utt2dur")
    for utterance, path in read_table(mini / "data/dev/wav.scp").items():
        information = soundfile.info(path)
        assert information.samplerate == 16000 and information.channels == 1
        assert float(durations[utterance]) == pytest.approx(information.duration, abs=1e-4)
        assert 0.8 < information.duration < 5


def test_the_same_seed_gives_the_same_samples(mini, tmp_path):
    again = speak(tmp_path, nj=1)
    files = sorted(path.relative_to(mini) for path in (mini / "audio").rglob("*.flac"))
    assert len(files) == 28 * 4 + 8 * 2
    assert all((mini / path).read_bytes() == (again / path).read_bytes() for path in files)


def test_emotions_differ_in_loudness_as_planned(mini):
    """A check from the audio: angry is the loudest and sad the softest speech of the training voices."""
    emotions = read_table(mini / "data/train/utt2emo")
    levels: dict[str, list[float]] = {}
    for utterance, path in read_table(mini / "data/train/wav.scp").items():
        samples, _ = soundfile.read(path)
        levels.setdefault(emotions[utterance], []).append(10 * np.log10(np.mean(samples**2)))
    mean = {emotion: np.mean(values) for emotion, values in levels.items()}
    assert mean["angry"] > mean["happy"] > mean["neutral"] > mean["sad"]


def test_noises_are_unlike_and_differ_between_files(tmp_path):
    run("make_noise.py", "--output", tmp_path, "--files", 2, "--seconds", 2)
    low_share = {}
    for name in ("wind", "machine"):
        waveforms = [soundfile.read(tmp_path / name / f"0{index}.flac") for index in (0, 1)]
        assert all(rate == 16000 and len(samples) == 32000 for samples, rate in waveforms)
        assert abs(np.corrcoef(waveforms[0][0], waveforms[1][0])[0, 1]) < 0.5
        power = np.abs(np.fft.rfft(waveforms[0][0])) ** 2
        low_share[name] = power[: 2 * 500].sum() / power.sum()  # below 500 Hz
    assert low_share["wind"] > low_share["machine"]


@pytest.mark.parametrize(("given", "expected"), [({}, "1"), ({"OMP_NUM_THREADS": "2"}, "2")])
def test_jobs_take_one_thread_unless_told_otherwise(tmp_path, given, expected):
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$OMP_NUM_THREADS" >"{tmp_path}/threads"\nexit 1\n')
    python.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"} | given
    command = [RECIPE / "run.sh", "--python", python, "--work", tmp_path / "work", "--stop-stage", "1"]
    assert subprocess.run(command, env=environment, capture_output=True).returncode != 0
    assert (tmp_path / "threads").read_text().strip() == expected
