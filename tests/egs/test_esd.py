"""egs/esd/local on small folders with the corpus's own names, in the layouts of both releases."""

import io
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from merit.data.datadir import problems_in, read_table

RECIPE = Path(__file__).parents[2] / "egs/esd"
# As the corpus describes its speakers and numbers its files.
WOMEN = {"0001", "0002", "0003", "0007", "0009", "0015", "0016", "0017", "0018", "0019"}
MANDARIN, ENGLISH = [f"{n:04d}" for n in range(1, 11)], [f"{n:04d}" for n in range(11, 21)]
FIRST = {"Neutral": 1, "Angry": 351, "Happy": 701, "Sad": 1051, "Surprise": 1401}
CLASS = {"Neutral": "neutral", "Angry": "angry", "Happy": "happy", "Sad": "sad", "Surprise": "surprised"}
# Sentences of the small corpus, and where newer releases have them.
SENTENCES = {1: "evaluation", 20: "evaluation", 21: "test", 50: "test", 51: "train", 350: "train"}


def make_corpus(folder: Path, speakers: list[str], flat: bool) -> Path:
    wav = io.BytesIO()
    soundfile.write(wav, np.full(1600, 0.1), 16000, format="WAV")
    for speaker in speakers:
        for emotion, first in FIRST.items():
            for sentence, part in SENTENCES.items():
                path = folder / speaker / emotion / ("" if flat else part) / f"{speaker}_{first + sentence - 1:06d}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(wav.getvalue())
            (path.parent / f"._{path.name}").write_bytes(b"\0\5\x16\7")  # of macOS
        (folder / speaker / f"{speaker}.txt").write_bytes("000001\t打远一看\t中立\n".encode("gbk"))
    (folder / "ReadMe.txt").write_text("0011: English Male\n")
    return folder


def prepare(corpus: Path, output: Path, *options: str) -> subprocess.CompletedProcess:
    command = [str(RECIPE / "local/data.sh"), str(corpus), str(output), *options]
    environment = {**os.environ, "PYTHONPATH": str(RECIPE.parents[1]), "python": sys.executable}
    return subprocess.run(command, cwd=output.parent, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("esd") / "Emotion Speech Dataset"
    return make_corpus(folder, [*MANDARIN, *ENGLISH], flat=False)


def prepared(corpus: Path, output: Path, *options: str) -> Path:
    """The small corpus has 6 of 350 sentences, so files are missing."""
    result = prepare(corpus, output, "--allow_missing", "true", *options)
    assert result.returncode == 0, result.stderr
    return output


@pytest.fixture(scope="module")
def both(corpus, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("both") / "data"
    return prepared(corpus, output, "--languages", "english mandarin", "--disjoint_sentences", "false")


@pytest.fixture(scope="module")
def english(corpus, tmp_path_factory) -> Path:
    return prepared(corpus, tmp_path_factory.mktemp("english") / "data")


def test_sets_are_valid_and_share_no_speaker(both):
    speakers = [list(read_table(both / name / "spk2utt")) for name in ("train", "dev", "test")]
    assert Counter(speaker for group in speakers for speaker in group) == dict.fromkeys(MANDARIN + ENGLISH, 1)
    for name in ("train", "dev", "test", "babble"):
        classes = None if name == "babble" else ("angry", "happy", "neutral", "sad")
        assert problems_in(both / name, classes, audio=True) == []


@pytest.mark.parametrize("language", [MANDARIN, ENGLISH])
def test_every_set_has_as_many_women_as_men_of_a_language(both, language):
    for name, each in (("train", 3), ("dev", 1), ("test", 1)):
        speakers = set(read_table(both / name / "spk2utt")) & {*language}
        assert len(speakers & WOMEN) == len(speakers - WOMEN) == each


@pytest.mark.parametrize("name, sentences", [("train", {51, 350}), ("dev", {1, 20}), ("test", {21, 50})])
def test_no_sentence_is_in_two_sets(english, name, sentences):
    numbers = {int(utterance[5:]) for utterance in read_table(english / name / "wav.scp")}
    assert {(number - 1) % 350 + 1 for number in numbers} == sentences


def test_every_set_has_all_sentences_when_that_is_allowed(both):
    for name, speakers in (("train", 12), ("dev", 4), ("test", 4)):
        assert len(read_table(both / name / "wav.scp")) == speakers * 4 * 6


def test_labels_are_those_of_the_folders_and_numbers(corpus, english):
    wav, labels = read_table(english / "test/wav.scp"), read_table(english / "test/utt2emo")
    assert set(read_table(english / "test/spk2utt")) <= {*ENGLISH}
    assert labels == {
        f"{speaker}_{FIRST[emotion] + sentence - 1:06d}": CLASS[emotion]
        for speaker in read_table(english / "test/spk2utt")
        for emotion in ("Angry", "Happy", "Neutral", "Sad")
        for sentence in (21, 50)
    }
    assert wav["0019_000371"] == str(corpus / "0019/Angry/test/0019_000371.wav")
    assert set(read_table(english / "test/utt2dur").values()) == {"0.1000"}


def test_flat_folders_and_a_folder_around_the_corpus_give_the_same_sets(english, tmp_path):
    flat = make_corpus(tmp_path / "ESD/Emotional Speech Dataset (ESD)/Emotion Speech Dataset", ENGLISH, flat=True)
    data = prepared(tmp_path / "ESD", tmp_path / "data")
    for name in ("train", "dev", "test", "babble"):
        assert read_table(data / name / "wav.scp").keys() == read_table(english / name / "wav.scp").keys()
        assert read_table(data / name / "utt2spk") == read_table(english / name / "utt2spk")
    assert read_table(data / "test/wav.scp")["0020_000021"] == str(flat / "0020/Neutral/0020_000021.wav")


def test_babble_is_what_the_training_speakers_say_in_other_emotions(english):
    train, babble = (read_table(english / name / "spk2utt") for name in ("train", "babble"))
    assert train.keys() == babble.keys()
    assert {utt[5:] for utts in babble.values() for utt in utts.split()} == {"001451", "001750"}
    assert not (english / "babble/utt2emo").exists()


def test_classes_choose_the_labels_and_the_rest_is_counted(corpus, tmp_path):
    result = prepare(corpus, tmp_path / "two", "--classes", "surprised sad", "--allow_missing", "true")
    assert result.returncode == 0, result.stderr
    # Ten speakers, six sentences; a third of them in the set of the speaker.
    assert "in none of the classes: 180 utterances (60 angry, 60 happy, 60 neutral)" in result.stderr
    assert "of sentences that belong to another set: 80 utterances" in result.stderr
    assert set(read_table(tmp_path / "two/test/utt2emo").values()) == {"surprised", "sad"}
    result = prepare(corpus, tmp_path / "all", "--classes", " ".join(CLASS.values()), "--allow_missing", "true")
    assert result.returncode == 0 and "the classes leave no utterance for the babble" in result.stderr
    assert read_table(tmp_path / "all/babble/wav.scp") == read_table(tmp_path / "all/train/wav.scp")


def test_missing_files_are_counted_listed_and_stop_the_preparation(corpus, tmp_path):
    result = prepare(corpus, tmp_path / "data", "--languages", "mandarin")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    # Six speakers with 300 sentences in 5 emotions, two with 20 and two with 30 in 4; two sentences of each are there.
    wanted, there = 6 * 300 * 5 + 2 * (20 + 30) * 4, 6 * 2 * 5 + 4 * 2 * 4
    listing = tmp_path / "data/missing_files.txt"
    assert f"{wanted - there} of {wanted} files are missing, listed in {listing}" in result.stderr
    assert "0010: 8 files of 120" in result.stderr and "--allow-missing true" in result.stderr
    listed = listing.read_text().splitlines()
    assert len(listed) == wanted - there and f"{corpus}/0009/Sad/0009_001072.wav" in listed
    assert f"{corpus}/0009/Sad/0009_001071.wav" not in listed and not (tmp_path / "data/train").exists()


def test_a_speaker_that_is_missing_altogether_is_counted(tmp_path):
    corpus = make_corpus(tmp_path / "ESD", ENGLISH[:-1], flat=False)
    result = prepare(corpus, tmp_path / "data")
    assert result.returncode == 1 and "0020: 0 files of 120" in result.stderr


@pytest.mark.parametrize(
    "options, messages",
    [
        (("--classes", "angry bored"), ["classes 'angry bored'", "neutral angry happy sad surprised"]),
        (("--classes", ""), ["classes ''"]),
        (("--languages", "german"), ["languages 'german'", "english mandarin"]),
    ],
)
def test_wrong_options_are_refused(corpus, tmp_path, options, messages):
    result = prepare(corpus, tmp_path / "data", *options)
    assert result.returncode == 1 and all(message in result.stderr for message in messages), result.stderr
    assert not (tmp_path / "data").exists()


def test_a_wrong_folder_says_where_to_get_the_corpus(tmp_path):
    (tmp_path / "0011").touch()  # a file, not a speaker's folder
    result = prepare(tmp_path, tmp_path / "data")
    assert result.returncode == 1
    assert "0001 to 0020" in result.stderr and "HLTSingapore/Emotional-Speech-Data" in result.stderr
