"""A recipe in small, and its commands."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import merit
from merit.data.datadir import write_data_directory


@pytest.fixture
def recipe(tmp_path):
    """A folder with data/test and data/babble, each of two speakers with six utterances."""
    generator = np.random.default_rng(0)
    for name, folder, people in (("test", "corpus", "ab"), ("babble", "others", "cd")):
        (tmp_path / folder).mkdir()
        wav = {f"{speaker}-{number}": f"{folder}/{speaker}-{number}.wav" for speaker in people for number in range(6)}
        for path in wav.values():
            soundfile.write(tmp_path / path, 0.1 * generator.standard_normal(3200), 16000)
        speakers = {utterance: utterance[0] for utterance in wav}
        tables = (speakers, dict.fromkeys(wav, "joy"), dict.fromkeys(wav, 0.2))
        write_data_directory(tmp_path / "data" / name, wav, *tables)
    return tmp_path


@pytest.fixture
def run(recipe):
    """Function that runs a command of merit.bin in the recipe."""

    def run_command(command: str, *options: str) -> subprocess.CompletedProcess:
        arguments = [sys.executable, "-m", f"merit.bin.{command}", *options]
        environment = {**os.environ, "PYTHONPATH": str(Path(merit.__file__).parents[1])}
        return subprocess.run(arguments, cwd=recipe, env=environment, capture_output=True, text=True, check=False)

    return run_command
