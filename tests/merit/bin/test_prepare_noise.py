"""Noise preparation as a person calls it."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from merit.bin.prepare_noise import prepare_noise
from merit.command import run_command
from merit.data.noise.babble_folder import BabbleOptions
from merit.data.noise.corpora import LAYOUTS
from merit.errors import MeritError

SCRIPT = Path(__file__).resolve().parents[3] / "utils" / "prepare_noise.sh"


def make_corpus(folder, names, seed=0):
    generator = np.random.default_rng(seed)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, 0.1 * generator.standard_normal(1600), 16000)


def call(folder, *arguments):
    return subprocess.run([SCRIPT, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def files_of(manifest):
    return [line.split("\t")[1] for line in manifest.read_text().splitlines()[1:]]


def test_one_corpus_without_another(tmp_path):
    make_corpus(tmp_path / "freesound", [f"{number}__user__fan.wav" for number in range(11, 16)])
    make_corpus(tmp_path / "dns", [f"fan_Freesound_validated_{number}_0.wav" for number in range(13, 18)], 1)
    first = call(tmp_path, "freesound", "freesound", "noise/freesound", "--fractions", "[0,0,1]")
    assert first.returncode == 0 and "train 0, dev 0, test 5 files of 5 recordings; 0 left out" in first.stderr
    second = call(tmp_path, "dns", "dns", "noise/dns", "--without", "noise/freesound", "--fractions", "[0,0,1]")
    assert second.returncode == 0, second.stderr
    assert files_of(tmp_path / "noise/dns/manifest.tsv") == [
        f"test/fan_Freesound_validated_{number}_0.wav" for number in (16, 17)
    ]
    assert (
        "fan_Freesound_validated_13_0.wav\tfreesound:13 is in noise/freesound\n"
        in (tmp_path / "noise/dns/removed.tsv").read_text()
    )


def test_babble_of_a_speech_corpus(tmp_path):
    make_corpus(tmp_path / "crss", [f"S{talker}/a.wav" for talker in range(8)])
    result = call(
        tmp_path, "crss", "crss", "noise/crss", "--babble.talkers", "2", "--babble.files", "[2,1,1]",
        "--babble.seconds", "0.2", "--babble.speaker", "(S[0-9])/",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert files_of(tmp_path / "noise/crss/manifest.tsv") == [
        "train/babble-000.flac", "train/babble-001.flac", "dev/babble-000.flac", "test/babble-000.flac",
    ]  # fmt: skip


def test_what_is_missing_ends_with_a_message(tmp_path):
    usage = call(tmp_path, "musan", "corpus")
    assert usage.returncode == 2 and "utils/prepare_noise.sh CORPUS SOURCE OUTPUT" in usage.stdout
    nowhere = call(tmp_path, "musan", "nowhere", "noise/musan")
    assert nowhere.returncode == 1 and nowhere.stderr.endswith(
        "error: nowhere: no audio files; give the folder that MUSAN (https://www.openslr.org/17) was unpacked to\n"
    )


@pytest.mark.parametrize("corpus", [*LAYOUTS, "crss", "muzan"])
def test_every_layout_can_be_asked_for_on_the_command_line(corpus, tmp_path, monkeypatch, capsys):
    options = ["--corpus", corpus, "--source", str(tmp_path / "nowhere"), "--output", str(tmp_path / "made")]
    monkeypatch.setattr("sys.argv", ["prepare_noise", *options])
    with pytest.raises(SystemExit) as ended:
        run_command(prepare_noise)
    if corpus == "muzan":
        assert ended.value.code == 2 and "muzan" in capsys.readouterr().err
    else:
        assert str(ended.value.code).startswith("error: ") and "nowhere" in ended.value.code


@pytest.mark.parametrize(
    "corpus, options, expected",
    [
        ("crss", {"subsets": ["close"]}, "not for crss"),
        ("crss", {"without": Path("noise/dns")}, "not for crss"),
        ("musan", {"babble": BabbleOptions(talkers=6)}, "for crss alone, not for musan"),
        ("musan", {"subsets": "noise birds"}, "--subsets birds"),
    ],
)
def test_options_of_another_corpus_are_refused(tmp_path, corpus, options, expected):
    with pytest.raises(MeritError, match=expected):
        prepare_noise(corpus, tmp_path / "source", tmp_path / "out", **options)
