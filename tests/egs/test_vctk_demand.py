"""egs/vctk_demand/local on short files with the corpus's own names."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from merit.data.audio import read_audio
from merit.data.datadir import problems_in, read_table
from merit.data.statistics import WaveformStatistics
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.phases.dataset import UtteranceDataset
from merit.systems.sparse_merit.training_options import MeritTraining

RECIPE = Path(__file__).parents[2] / "egs/vctk_demand"
SPEAKERS = {"trainset_28spk": ("p226", "p227", "p287"), "trainset_56spk": ("p234", "p237"), "testset": ("p232", "p257")}
ALLOW = ("--allow_missing", "true")  # every corpus here is a part of the whole one


def prepare(corpus: Path, output: Path, *options: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(RECIPE.parents[1]), "python": sys.executable}
    command = [str(RECIPE / "local/data.sh"), str(corpus), str(output), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.fixture
def corpus(tmp_path) -> Path:
    """Three utterances of each speaker with their logs; 48 kHz, of lengths that 16 kHz does not divide."""
    generator = np.random.default_rng(0)
    folder = tmp_path / "corpus"
    (folder / "logfiles").mkdir(parents=True)
    for name, speakers in SPEAKERS.items():
        lines = []
        for kind in ("noisy", "clean"):
            (folder / f"{kind}_{name}_wav").mkdir()
        for number, speaker in enumerate(speakers):
            for sentence in (1, 2, 23):
                clean = generator.standard_normal(4800 + number + sentence) / 10
                noisy = clean + generator.standard_normal(len(clean)) / 100
                for kind, samples in (("noisy", noisy), ("clean", clean)):
                    soundfile.write(folder / f"{kind}_{name}_wav/{speaker}_{sentence:03}.wav", samples, 48000)
                snr = "17.5" if name == "testset" else sentence % 4 * 5
                lines.append(f"{speaker}_{sentence:03} {'bus' if sentence == 1 else 'cafe'} {snr}\n")
        (folder / f"logfiles/log_{name}.txt").write_text("".join(lines))
    return folder


def test_sets_hold_noisy_speech_with_its_reference_and_what_the_logs_say(corpus, tmp_path):
    data = tmp_path / "data"
    result = prepare(corpus, data, *ALLOW)
    assert result.returncode == 0, result.stderr
    speakers = {"train": {"p227"}, "dev": {"p226", "p287"}, "test": {"p232", "p257"}}
    for name, expected in speakers.items():
        assert problems_in(data / name, audio=True) == []
        assert set(read_table(data / name / "spk2utt")) == expected
        assert not (data / name / "utt2emo").exists()
        noisy, clean = read_table(data / name / "wav.scp"), read_table(data / name / "spk1.scp")
        folder = "testset" if name == "test" else "trainset_28spk"
        for utterance in noisy:
            assert noisy[utterance] == str(corpus / f"noisy_{folder}_wav/{utterance}.wav")
            assert clean[utterance] == str(corpus / f"clean_{folder}_wav/{utterance}.wav")
    assert read_table(data / "train/utt2noise") == {"p227_001": "bus", "p227_002": "cafe", "p227_023": "cafe"}
    assert read_table(data / "train/utt2snr") == {"p227_001": "5", "p227_002": "10", "p227_023": "15"}
    assert read_table(data / "test/utt2snr")["p232_001"] == "17.5"


def test_durations_are_those_at_16_khz_to_the_sample(corpus, tmp_path):
    assert prepare(corpus, tmp_path / "data", *ALLOW).returncode == 0
    for name in ("train", "dev", "test"):
        durations = read_table(tmp_path / "data" / name / "utt2dur")
        for utterance, path in read_table(tmp_path / "data" / name / "wav.scp").items():
            assert float(durations[utterance]) * 16000 == len(read_audio(path, utterance))


def test_training_reads_the_sets(corpus, tmp_path):
    assert prepare(corpus, tmp_path / "data", *ALLOW).returncode == 0
    examples = UtteranceDataset(tmp_path / "data/dev", WaveformStatistics(mean=0.0, std=0.1, samples=1), clean=True)
    assert len(examples) == 6
    for position in range(6):
        example = examples[position, 0]
        assert example.noisy.shape == example.clean.shape and example.noisy.shape[1] == examples.samples[position]


@pytest.mark.parametrize(
    "sets, dev, expected",
    [
        ("56spk", "p237", [["p234"], ["p237"]]),
        ("28spk 56spk", "p226 p234", [["p227", "p237", "p287"], ["p226", "p234"]]),
    ],
)
def test_speakers_of_training_and_dev_are_options(corpus, tmp_path, sets, dev, expected):
    result = prepare(corpus, tmp_path / "data", *ALLOW, "--train_sets", sets, "--dev_speakers", dev)
    assert result.returncode == 0, result.stderr
    assert [list(read_table(tmp_path / f"data/{name}/spk2utt")) for name in ("train", "dev")] == expected


@pytest.mark.parametrize(
    "sets, problem",
    [
        ("56spk", "dev_speakers: p226 p287 is not among the speakers of 56spk: p234 p237"),
        ("84spk", "train_sets '84spk': expected 28spk or 56spk"),
    ],
)
def test_unknown_speakers_and_sets_are_refused(corpus, tmp_path, sets, problem):
    result = prepare(corpus, tmp_path / "data", *ALLOW, "--train_sets", sets)
    assert result.returncode == 1 and problem in result.stderr
    assert not (tmp_path / "data/train").exists()


def test_the_corpus_is_prepared_without_logs_or_with_logs_beside_the_folders(corpus, tmp_path):
    (corpus / "logfiles/log_testset.txt").rename(corpus / "log_testset.txt")
    (corpus / "logfiles/log_trainset_28spk.txt").unlink()
    result = prepare(corpus, tmp_path / "data", *ALLOW)
    assert result.returncode == 0, result.stderr
    assert "no log_trainset_28spk.txt" in result.stderr
    tables = {"wav.scp", "spk1.scp", "utt2spk", "spk2utt", "utt2dur"}
    assert {path.name for path in (tmp_path / "data/train").iterdir()} == tables
    assert {path.name for path in (tmp_path / "data/test").iterdir()} == {*tables, "utt2noise", "utt2snr"}


def test_a_half_copied_corpus_is_counted_and_listed(corpus, tmp_path):
    noisy, clean = corpus / "noisy_trainset_28spk_wav", corpus / "clean_trainset_28spk_wav"
    (noisy / "p226_001.wav").unlink()
    (clean / "p227_001.wav").unlink()
    for folder in (noisy, clean):
        (folder / "p227_002.wav").unlink()  # known from the log alone
    soundfile.write(clean / "p287_001.wav", np.full(4000, 0.1), 48000)
    whole = (noisy / "p287_002.wav").read_bytes()
    (noisy / "p287_002.wav").write_bytes(whole[:1000])
    result = prepare(corpus, tmp_path / "data")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "trainset_28spk: 4 pairs of 11572" in result.stderr and "testset: 6 pairs of 824" in result.stderr
    assert "8 problems with its files, listed in" in result.stderr and "--allow-missing true" in result.stderr
    listed = (tmp_path / "data/bad_pairs.txt").read_text()
    for folder, utterance in ((noisy, "p226_001"), (clean, "p227_001"), (noisy, "p227_002"), (clean, "p227_002")):
        assert f"{folder}/{utterance}.wav: missing\n" in listed
    assert "11563 utterances of trainset_28spk: missing" in listed and "818 utterances of testset: missing" in listed
    assert f"{noisy}/p287_001.wav: 0.10006 s, and its reference 0.08333 s\n" in listed
    assert "p287_002.wav: truncated" in listed
    assert not (tmp_path / "data/train").exists()

    assert prepare(corpus, tmp_path / "data", *ALLOW).returncode == 0
    assert list(read_table(tmp_path / "data/train/wav.scp")) == ["p227_023"]
    assert list(read_table(tmp_path / "data/dev/wav.scp")) == ["p226_002", "p226_023", "p287_023"]


def test_a_wrong_folder_says_where_to_get_the_corpus(corpus, tmp_path):
    result = prepare(tmp_path / "nowhere", tmp_path / "data")
    assert result.returncode == 1
    assert "nowhere/noisy_trainset_28spk_wav" in result.stderr and "datashare.ed.ac.uk" in result.stderr


@pytest.mark.parametrize(
    "keep, add, problem",
    [
        (0, "p232_024 bus", "log_testset.txt:7: expected a new utterance, its noise and its SNR: 'p232_024 bus'"),
        (0, "p232_001 bus 17.5", "log_testset.txt:7: expected a new utterance"),
        (2, "", "log_testset.txt has no line for 2 utterances, as p232_001"),
    ],
)
def test_wrong_logs_are_refused(corpus, tmp_path, keep, add, problem):
    log = corpus / "logfiles/log_testset.txt"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[keep:]) + add)
    result = prepare(corpus, tmp_path / "data", *ALLOW)
    assert result.returncode == 1 and problem in result.stderr
    assert not (tmp_path / "data").exists()


def test_wrong_names_are_refused(corpus, tmp_path):
    (corpus / "clean_trainset_28spk_wav/p226_001_16k.wav").touch()
    result = prepare(corpus, tmp_path / "data", *ALLOW)
    assert result.returncode == 1 and "p226_001_16k.wav: not a file of VCTK-DEMAND" in result.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["phase1_se", "phase2"])
def test_configurations_have_known_options_and_leave_the_method_open(name):
    config = yaml.safe_load((RECIPE / f"conf/{name}.yaml").read_text())
    assert MeritTraining(**config.pop("training")).batch_size == 16
    assert config == ({} if name == "phase2" else {"model": {"front_end": "weighted_sum"}})
    ModelConfig(**config.get("model", {}))
