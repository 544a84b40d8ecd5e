"""Babble and mixing as a recipe calls them: options, output and exit status."""

import numpy as np
import pytest
import soundfile

from merit.data.datadir import read_table


def test_babble_to_mixed_directories(recipe, run):
    babble = run(
        "make_babble", "--data", "data/babble", "--output", "dump/noise/babble", "--talkers", "2",
        "--files", "[2,1,1]", "--seconds", "0.5", "--seed", "0",
    )  # fmt: skip
    assert babble.returncode == 0, babble.stderr
    mixed = run(
        "mix_noise", "--data", "data/test", "--noise", "babble=dump/noise/babble", "--part", "test", "--snrs",
        "[-5, 2.5]", "--output", "data", "--audio", "dump/audio",
    )  # fmt: skip
    assert mixed.returncode == 0, mixed.stderr
    for name in ("test_babble_-5dB", "test_babble_2.5dB"):
        noisy = read_table(recipe / "data" / name / "wav.scp")
        assert noisy["a-0"] == f"dump/audio/{name}/noisy/a-0.flac" and (recipe / noisy["a-0"]).is_file()
    assert {row.split()[0] for row in read_table(recipe / "data/test_babble_-5dB/utt2noise").values()} == {
        "dump/noise/babble/test/babble-000.flac"
    }
    valid = run("validate_data_dir", "--data", "[data/test,data/test_babble_-5dB]", "--audio", "true")
    assert valid.returncode == 0, valid.stderr
    assert valid.stdout.splitlines() == [
        f"data/{name}: valid data directory, 12 utterances, 2 speakers, 0.00 hours"
        for name in ("test", "test_babble_-5dB")
    ]


def test_mixing_in_rooms(recipe, run):
    (recipe / "rooms").mkdir()
    for number in range(3):
        response = np.zeros(400)
        response[[10, 100 + number]] = [1.0, 0.5]
        soundfile.write(recipe / "rooms" / f"{number}.wav", response, 16000)
    options = ("--data", "data/test", "--noise", "hum=corpus", "--part", "test", "--snrs", "[0]", "--rir", "rooms")
    mixed = run("mix_noise", *options)
    assert mixed.returncode == 0, mixed.stderr
    (room,) = {
        line.split("\t")[1] for line in (recipe / "data/rir/rooms.tsv").read_text().splitlines() if "test" in line
    }
    assert set(read_table(recipe / "data/test_hum_0dB/utt2rir").values()) == {f"rooms/{room}"}


@pytest.mark.parametrize(
    "noise, part, expected",
    [
        ("babble=nowhere", "test", "error: nowhere: a noise corpus needs audio files"),
        ("babble", "test", "error: noise 'babble': expected name=folder"),
        ("corpus=corpus", "evaluation", "--part"),
    ],
)
def test_unusable_noise_ends_with_a_message(recipe, run, noise, part, expected):
    result = run("mix_noise", "--data", "data/test", "--noise", noise, "--part", part, "--snrs", "[0]")
    assert result.returncode in (1, 2) and expected in result.stderr and "Traceback" not in result.stderr
