"""egs/emodb/local on short files with the corpus's own names."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from merit.data.datadir import problems_in, read_table

RECIPE = Path(__file__).parents[2] / "egs/emodb"
SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
TEXTS = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")


def prepare(corpus: object, output: Path, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "local/prepare_emodb.py", "--corpus", str(corpus), "--output", str(output), *options]
    environment = {**os.environ, "PYTHONPATH": str(RECIPE.parents[1])}
    return subprocess.run(command, cwd=RECIPE, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Every speaker says every sentence in the four usual classes, in fear and in boredom."""
    folder = tmp_path_factory.mktemp("emodb")
    (folder / "wav").mkdir()
    samples = np.random.default_rng(0).standard_normal(1600) / 10
    for name in (f"{speaker}{text}{emotion}a.wav" for speaker in SPEAKERS for text in TEXTS for emotion in "WTFNAL"):
        soundfile.write(folder / "wav" / name, samples, 16000)
    return folder


@pytest.fixture(scope="module")
def data(corpus, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("data")
    result = prepare(corpus, output)
    assert result.returncode == 0, result.stderr
    return output


def test_sets_are_valid_and_have_the_four_classes(data):
    for name in ("train", "dev", "test"):
        assert problems_in(data / name, classes=("angry", "sad", "happy", "neutral"), audio=True) == []
        assert set(read_table(data / name / "utt2emo").values()) == {"angry", "sad", "happy", "neutral"}
        assert all(Path(path).is_absolute() for path in read_table(data / name / "wav.scp").values())


def test_training_utterances_stand_four_times_and_babble_is_none_of_them(data):
    train, babble = read_table(data / "train/wav.scp"), read_table(data / "babble/wav.scp")
    assert set(Counter(train.values()).values()) == {4}
    assert not set(train.values()) & set(babble.values())
    assert {Path(path).name[5] for path in babble.values()} == {"A", "L"}
    assert set(read_table(data / "babble/spk2utt")) == set(read_table(data / "train/spk2utt"))
    assert problems_in(data / "babble") == []


def test_no_speaker_is_in_two_sets(data):
    speakers = [set(read_table(data / name / "spk2utt")) for name in ("train", "dev", "test")]
    assert Counter(speaker for group in speakers for speaker in group) == dict.fromkeys(SPEAKERS, 1)


def test_no_sentence_of_the_test_is_trained_on(data):
    texts = [{utterance[2:5] for utterance in read_table(data / name / "wav.scp")} for name in ("train", "test")]
    assert texts[0] | texts[1] == set(TEXTS) and not texts[0] & texts[1]


def test_labels_are_those_of_the_file_names(data):
    english = {"W": "angry", "T": "sad", "F": "happy", "N": "neutral"}
    assert not (data / "babble/utt2emo").exists()
    labels = read_table(data / "train" / "utt2emo")
    assert labels and all(label == english[utterance[5]] for utterance, label in labels.items())


def test_the_wav_folder_itself_is_accepted(corpus, data, tmp_path):
    assert prepare(corpus / "wav", tmp_path).returncode == 0
    assert (tmp_path / "test/wav.scp").read_text() == (data / "test/wav.scp").read_text()


def test_all_sentences_everywhere_when_no_test_sentence_is_named(corpus, tmp_path):
    result = prepare(corpus, tmp_path, "--test_texts", "", "--test_speakers", "03 08")
    assert result.returncode == 0, result.stderr
    assert len(read_table(tmp_path / "train/wav.scp")) == 7 * 10 * 4 * 4
    assert len(read_table(tmp_path / "test/wav.scp")) == 2 * 10 * 4


def test_a_missing_corpus_says_where_to_get_it(tmp_path):
    result = prepare(tmp_path / "nowhere", tmp_path)
    assert result.returncode == 1
    assert str(tmp_path / "nowhere") in result.stderr and "emodb.bilderbar.info" in result.stderr


def test_an_incomplete_corpus_is_counted(corpus, tmp_path):
    result = prepare(corpus, tmp_path)
    assert "speaker 03, angry: 10 files, expected 14" in result.stderr
    assert "400 files of the 4 classes, expected 339" in result.stderr
    assert "in none of the classes: 200 utterances (100 bored, 100 fearful)" in result.stderr


def test_classes_choose_the_labels_and_the_rest_is_babble(corpus, tmp_path):
    result = prepare(corpus, tmp_path, "--classes", "fearful sad")
    assert result.returncode == 0, result.stderr
    assert "in none of the classes: 400 utterances (100 angry, 100 bored, 100 happy, 100 neutral)" in result.stderr
    for name in ("train", "dev", "test"):
        assert set(read_table(tmp_path / name / "utt2emo").values()) == {"sad", "fearful"}
        assert {utterance[5] for utterance in read_table(tmp_path / name / "wav.scp")} == {"T", "A"}
    assert {utterance[5] for utterance in read_table(tmp_path / "babble/wav.scp")} == set("WFNL")


def test_babble_is_spoken_by_the_training_utterances_when_every_emotion_is_a_class(corpus, tmp_path):
    result = prepare(corpus, tmp_path, "--classes", "angry happy neutral sad bored fearful disgusted")
    assert result.returncode == 0, result.stderr
    assert "the classes leave no utterance for the babble" in result.stderr
    train, babble = read_table(tmp_path / "train/wav.scp"), read_table(tmp_path / "babble/wav.scp")
    assert sorted(babble.values()) == sorted(set(train.values()))
    assert problems_in(tmp_path / "babble") == [] and not (tmp_path / "babble/utt2emo").exists()


def test_wrong_names_and_wrong_options_are_refused(corpus, tmp_path):
    (tmp_path / "wav").mkdir()
    (tmp_path / "wav/03a01Fa-copy.wav").touch()
    assert "03a01Fa-copy.wav: not a file name of EmoDB" in prepare(tmp_path, tmp_path / "data").stderr
    assert "99: not in EmoDB" in prepare(corpus, tmp_path / "data", "--dev_speakers", "99").stderr
    for classes in ("sad calm", ""):
        message = prepare(corpus, tmp_path / "data", "--classes", classes).stderr
        assert f"classes '{classes}'" in message and "angry happy neutral sad bored disgusted fearful" in message
    assert "speaker 09 is in dev and in test" in prepare(corpus, tmp_path / "data", "--dev_speakers", "09").stderr
    assert not (tmp_path / "data").exists()
