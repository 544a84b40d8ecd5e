"""egs/iemocap/local on a small folder with the corpus's layout, names and label files."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from merit.data.datadir import problems_in, read_table

RECIPE = Path(__file__).parents[2] / "egs/iemocap"
ENGLISH = {"ang": "angry", "hap": "happy", "neu": "neutral", "sad": "sad", "exc": "excited", "fru": "frustrated"}
ENGLISH |= {"fea": "fearful", "sur": "surprised", "dis": "disgusted", "oth": "other", "xxx": "without agreement"}

# What is said in each session: dialogue -> utterance -> label. FXX0: a turn that the transcript does not number.
DIALOGUES = {
    "F_impro06": {
        "F000": "ang",
        "M000": "hap",
        "F001": "neu",
        "M001": "sad",
        "M002": "exc",
        "F002": "fru",
        "FXX0": "xxx",
    },
    "M_script01_1b": {
        "M000": "ang",
        "F000": "hap",
        "M001": "neu",
        "F001": "sad",
        "M002": "sur",
        "F002": "fea",
        "F003": "dis",
        "M003": "oth",
    },
}


def label_file(name: str, labels: dict[str, str]) -> bytes:
    """A label file: the header, then a block for each utterance, with the single annotators' lines and remarks."""
    text = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
    for number, (turn, label) in enumerate(labels.items()):
        text += (
            f"[{6.2901 + number:.4f} - {8.2357 + number:.4f}]\t{name}_{turn}\t{label}\t[2.5000, 2.5000, 2.5000]\n"
            "C-E2:\tNeutral;\t()\nC-E3:\tExcited; Other;\t(d\xe9sabus\xe9, [ironic])\nC-F1:\tNeutral;\t()\n"
            "A-E3:\tval 3; act 2; dom  2;\t()\nA-F1:\tval 3; act 2; dom  1;\t()\n\n"
        )
    return text.encode("latin-1")  # remarks are not always ASCII


def make_corpus(folder: Path) -> Path:
    for session in range(1, 6):
        root = folder / f"Session{session}"
        evaluation = root / "dialog/EmoEvaluation"
        for part in ("Attribute", "Categorical", "Self-evaluation"):
            (evaluation / part).mkdir(parents=True)
        for dialogue, labels in DIALOGUES.items():
            name = f"Ses0{session}{dialogue}"
            (evaluation / f"{name}.txt").write_bytes(label_file(name, labels))
            (evaluation / f"._{name}.txt").write_bytes(b"\0\5\x16\7\n[\xff")  # of macOS
            (evaluation / f"Categorical/{name}_e2_cat.txt").write_text(f"{name}_F000 :Neutral state; ()\n")
            (root / "sentences/wav" / name).mkdir(parents=True)
            for turn in labels:
                wav = root / "sentences/wav" / name / f"{name}_{turn}.wav"
                soundfile.write(wav, np.full(1600, 0.1), 16000)
    return folder


def prepare(corpus: Path, output: Path, *options: str) -> subprocess.CompletedProcess:
    command = [str(RECIPE / "local/data.sh"), str(corpus), str(output), *options]
    environment = {**os.environ, "PYTHONPATH": str(RECIPE.parents[1]), "python": sys.executable}
    return subprocess.run(command, cwd=output.parent, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("iemocap") / "IEMOCAP_full_release")


@pytest.fixture(scope="module")
def folds(corpus, tmp_path_factory) -> dict[int, Path]:
    outputs = {fold: tmp_path_factory.mktemp("fold") / "data" for fold in range(1, 6)}
    for fold, output in outputs.items():
        result = prepare(corpus, output, "--fold", str(fold))
        assert result.returncode == 0, result.stderr
    return outputs


def sessions(directory: Path) -> set[str]:
    return {speaker[4] for speaker in read_table(directory / "spk2utt")}


@pytest.mark.parametrize("fold, test, dev, train", [(1, "1", "2", "345"), (4, "4", "5", "123"), (5, "5", "1", "234")])
def test_the_test_is_a_session_and_dev_the_next(folds, fold, test, dev, train):
    assert [sessions(folds[fold] / name) for name in ("test", "dev", "train")] == [{test}, {dev}, {*train}]
    for name in ("train", "dev", "test"):
        assert problems_in(folds[fold] / name, classes=("angry", "happy", "neutral", "sad"), audio=True) == []


def test_folds_test_every_utterance_once_and_share_no_speaker(folds):
    tested = Counter(utterance for output in folds.values() for utterance in read_table(output / "test/wav.scp"))
    assert len(tested) == 5 * 9 and set(tested.values()) == {1}
    for output in folds.values():
        speakers = Counter(who for name in ("train", "dev", "test") for who in read_table(output / name / "spk2utt"))
        assert speakers == dict.fromkeys((f"Ses0{session}{sex}" for session in range(1, 6) for sex in "FM"), 1)


def test_the_speaker_is_who_speaks_and_the_label_that_of_the_consensus(corpus, folds):
    test = folds[3] / "test"
    labels, wav = read_table(test / "utt2emo"), read_table(test / "wav.scp")
    expected = {}
    for dialogue, turns in DIALOGUES.items():
        for turn, label in turns.items():
            emotion = "happy" if label == "exc" else ENGLISH[label]
            if emotion in ("angry", "happy", "neutral", "sad"):
                expected[f"Ses03{turn[0]}-Ses03{dialogue}_{turn}"] = emotion
    assert labels == expected
    assert read_table(test / "utt2spk") == {utterance: utterance.split("-")[0] for utterance in labels}
    name = "Ses03M_script01_1b"
    assert wav[f"Ses03F-{name}_F000"] == str(corpus / f"Session3/sentences/wav/{name}/{name}_F000.wav")
    assert set(read_table(test / "utt2dur").values()) == {"0.1000"}


def test_babble_is_what_the_training_speakers_say_under_other_labels(folds):
    train, babble = read_table(folds[1] / "train/wav.scp"), read_table(folds[1] / "babble/wav.scp")
    assert len(train) == 3 * 9 and len(babble) == 3 * 6 and not train.keys() & babble.keys()
    assert sessions(folds[1] / "babble") == {"3", "4", "5"}
    assert "Ses03F-Ses03F_impro06_FXX0" in babble
    assert problems_in(folds[1] / "babble") == [] and not (folds[1] / "babble/utt2emo").exists()


def test_the_counts_are_shown_beside_those_of_the_corpus(corpus, tmp_path):
    log = prepare(corpus.parent, tmp_path / "data").stderr  # the folder around it is given
    for emotion, found, expected in (
        ("angry", 10, 1103),
        ("happy", 15, 1636),
        ("neutral", 10, 1708),
        ("sad", 10, 1084),
    ):
        assert f"{emotion:10} found {found:6}, expected in the whole corpus {expected:6}" in log
    assert "45 utterances of the classes, expected 5531 in the whole corpus" in log
    assert "Session3: 15 labelled utterances, expected 2136" in log
    others = "5 disgusted, 5 fearful, 5 frustrated, 5 other, 5 surprised, 5 without agreement"
    assert f"in none of the classes: 30 utterances ({others})" in log


def test_excited_can_be_left_out_or_a_class(corpus, tmp_path):
    apart = prepare(corpus, tmp_path / "data", "--merge_excited", "false")
    assert "happy      found     10, expected in the whole corpus    595" in apart.stderr
    assert "5 excited" in apart.stderr
    assert len(read_table(tmp_path / "data/test/wav.scp")) == 8
    options = ("--merge_excited", "false", "--classes", "happy excited frustrated")
    result = prepare(corpus, tmp_path / "data", *options)
    assert result.returncode == 0, result.stderr
    labels = Counter(read_table(tmp_path / "data/test/utt2emo").values())
    assert labels == {"happy": 2, "excited": 1, "frustrated": 1}
    assert "excited is counted as happy" in prepare(corpus, tmp_path / "no", "--classes", "happy excited").stderr


@pytest.mark.parametrize(
    "options, messages",
    [
        (
            ("--classes", "angry bored"),
            ["classes 'angry bored'", "angry happy neutral sad excited frustrated fearful surprised disgusted"],
        ),
        (("--classes", ""), ["classes ''"]),
        (("--fold", "6"), ["fold 6: the folds are the sessions, 1 2 3 4 5"]),
    ],
)
def test_wrong_options_are_refused(corpus, tmp_path, options, messages):
    result = prepare(corpus, tmp_path / "data", *options)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert all(message in result.stderr for message in messages), result.stderr
    assert not (tmp_path / "data").exists()


def test_missing_files_are_listed_and_stop_the_preparation_unless_allowed(corpus, tmp_path):
    copy, data = tmp_path / "copy", tmp_path / "data"
    shutil.copytree(corpus, copy)
    lost = copy / "Session4/sentences/wav/Ses04F_impro06"
    shutil.rmtree(lost)
    result = prepare(copy, data)
    # Dev is session 2: of its utterances those of no class are not needed.
    assert result.returncode == 1
    assert f"7 of 63 files are missing, listed in {data}/missing_files.txt" in result.stderr
    listed = (data / "missing_files.txt").read_text().splitlines()
    assert listed == sorted(f"{lost}/Ses04F_impro06_{turn}.wav" for turn in DIALOGUES["F_impro06"])
    assert not (data / "train").exists() and "--allow-missing true" in result.stderr
    assert prepare(copy, data, "--allow_missing", "true").returncode == 0
    assert len(read_table(data / "train/wav.scp")) == 3 * 9 - 5
    assert prepare(corpus, data).returncode == 0 and not (data / "missing_files.txt").exists()


def test_missing_sessions_and_a_wrong_folder(corpus, tmp_path):
    copy = tmp_path / "IEMOCAP_full_release"
    shutil.copytree(corpus, copy)
    for session in (2, 5):
        shutil.rmtree(copy / f"Session{session}/dialog")
    for given in (copy, tmp_path):
        result = prepare(given, tmp_path / "data")
        assert result.returncode == 1
        assert f"{copy}: 2 of 5 sessions are missing" in result.stderr
        assert "Session2/dialog/EmoEvaluation, Session5/dialog/EmoEvaluation" in result.stderr
    result = prepare(tmp_path / "nowhere", tmp_path / "data")
    assert result.returncode == 1
    assert "Session1 to Session5" in result.stderr and "sail.usc.edu" in result.stderr


@pytest.mark.parametrize(
    "old, new, message",
    [
        (b"\tang\t", b"\tagn\t", ":3: expected [start - end], utterance, label"),
        (b"\t[2.5000, 2.5000, 2.5000]", b"", ":3: expected [start - end], utterance, label"),
        (b"Ses01F_impro06_F000", b"Ses01F_impro05_F000", ":3: an utterance of another dialogue"),
        (b"Ses01F_impro06_M000", b"Ses01F_impro06_F000", ":10: the utterance has a line above already"),
    ],
)
def test_wrong_label_lines_are_named(corpus, tmp_path, old, new, message):
    shutil.copytree(corpus, tmp_path / "copy")
    path = tmp_path / "copy/Session1/dialog/EmoEvaluation/Ses01F_impro06.txt"
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    result = prepare(tmp_path / "copy", tmp_path / "data")
    assert result.returncode == 1 and f"{path}{message}" in result.stderr, result.stderr
    assert not (tmp_path / "data").exists()
