"""Mixing online as a recipe calls it, and the commands that would take its clean speech for what is heard."""

import json
from pathlib import Path

import pytest
import soundfile

from merit.bin.sparse_merit.decode import decode
from merit.bin.sparse_merit.enhance_data import enhance_data
from merit.bin.sparse_merit.plot_utterance import plot_utterance
from merit.bin.sparse_merit.probe_routing import probe_routing
from merit.bin.sparse_merit.score import score
from merit.data.datadir import read_table, write_data_directory
from merit.data.noise.babble import make_babble
from merit.data.noise.mixed_directory import mix_data_directory
from merit.data.statistics import WaveformStatistics
from merit.dumping.dump import dump_states
from merit.errors import MeritError


@pytest.fixture
def mix(recipe, run):
    """Function that mixes data/test, with the corpus as noise and talkers of data/babble."""
    babble = run("make_babble", "--data", "data/babble", "--output", "dump/noise/babble", "--talkers", "2",
                 "--files", "[2,1,1]", "--seconds", "0.5")  # fmt: skip
    assert babble.returncode == 0, babble.stderr
    fixed = ("--data", "data/test", "--babble_data", "data/babble", "--talkers", "1")

    def mixed(part: str, *options: str, snr: str = "-5:15"):
        noises = "[hum@2=others,babble]"
        return run("mix_online", *fixed, "--part", part, "--noises", noises, f"--snr={snr}", *options)

    return mixed


def test_a_training_set_and_a_dev_set(recipe, run, mix):
    for part in ("train", "dev"):
        found = mix(part)
        assert found.returncode == 0, found.stderr
    mixing = json.loads((recipe / "data/test_online/mixing.json").read_text())
    assert (mixing["snr"], mixing["gain"], mixing["room_share"], mixing["seed"]) == ("-5:15", "-3:3", 0.0, 0)
    hum, babble = mixing["noises"]
    assert hum["weight"] == 2 and len(hum["files"]) == 10 and all(Path(file).is_absolute() for file in hum["files"])
    assert babble["talkers"] == 1 and set(babble["speech"]) == {"c", "d"}
    assert read_table(recipe / "data/test_online/wav.scp") == read_table(recipe / "data/test/wav.scp")
    noisy = read_table(recipe / "data/test_drawn/wav.scp")
    assert (
        noisy["a-0"] == "dump/audio/test_drawn/noisy/a-0.flac" and soundfile.info(recipe / noisy["a-0"]).frames == 3200
    )
    heard = {row.split()[0] for row in read_table(recipe / "data/test_drawn/utt2noise").values()}
    assert (
        str(recipe / "dump/noise/babble/dev/babble-000.flac") in heard and len(heard) == 2
    )  # of hum, one file is dev's
    statistics = run("waveform_statistics", "--data", "data/test_online")
    assert statistics.returncode == 0 and "over 38400 samples" in statistics.stdout


@pytest.mark.parametrize(
    "options, snr, expected",
    [
        ((), "15:-5", "error: --snr: '15:-5' ends below its beginning; write -5:15"),
        (("--gain=loud",), "5", "error: --gain: 'loud' is no range in dB"),
        (("--telephone_share", "2"), "5", "error: --telephone_share is a share from 0 to 1, not '2'"),
        (("--rir", "nowhere"), "5", "error: --rir nowhere: no audio files"),
    ],
)
def test_what_cannot_be_drawn_from_ends_with_a_message(mix, options, snr, expected):
    found = mix("train", *options, snr=snr)
    assert found.returncode == 1 and expected in found.stderr and "Traceback" not in found.stderr


NOWHERE = Path("nowhere")
READERS = {
    "dump_states": lambda data, out: dump_states(data, "none", out / "dump", out / "statistics.json"),
    "decode": lambda data, out: decode(NOWHERE, [data], out),
    "score": lambda data, out: score([str(data)], str(out), str(out)),
    "probe_routing": lambda data, out: probe_routing(NOWHERE, [data], out / "probe.csv"),
    "plot_utterance": lambda data, out: plot_utterance(NOWHERE, data, "u", out / "figure.png"),
    "mix_noise": lambda data, out: mix_data_directory(data, "hum", out, [], [0], out, out),
    "make_babble": lambda data, out: make_babble(data, out),
}


@pytest.mark.parametrize("reader", READERS)
def test_nobody_takes_its_clean_speech_for_what_is_heard(tmp_path, reader):
    data = tmp_path / "train_online"
    write_data_directory(data, {"u": "u.wav"}, {"u": "a"}, utt2emo={"u": "sad"})
    (data / "mixing.json").write_text("{}")
    WaveformStatistics(0.0, 1.0, 9).save(tmp_path / "statistics.json")
    with pytest.raises(MeritError, match=f"{data}: mixed anew in every epoch"):
        READERS[reader](data, tmp_path)


def test_enhancing_refuses_it_too(tmp_path, identity_directory):
    (tmp_path / "train_online").mkdir()
    (tmp_path / "train_online/mixing.json").write_text("{}")
    with pytest.raises(MeritError, match="train_online: mixed anew in every epoch"):
        enhance_data(identity_directory, [tmp_path / "train_online"], tmp_path / "out")


def test_validating_says_of_what_it_was_made(recipe, run, mix):
    assert mix("train").returncode == 0
    found = run("validate_data_dir", "--data", "data/test_online")
    assert found.returncode == 1
    assert found.stdout.splitlines() == [
        "data/test_online: mixed anew in every epoch (mixing.json); give the data directory that it was made of"
    ]
