"""egs/msp_podcast/local on a small folder with the corpus's layout, in its present and its older spelling."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from merit.data.datadir import problems_in, read_table

RECIPE = Path(__file__).parents[2] / "egs/msp_podcast"
HEADER = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"
ROWS = (
    ("MSP-PODCAST_0001_0001.wav", "A", "12", "Train"),
    ("MSP-PODCAST_0001_0002.wav", "S", "12", "Train"),
    ("MSP-PODCAST_0002_0001.wav", "N", "123", "Train"),
    ("MSP-PODCAST_0003_0001.wav", "H", "Unknown", "Train"),
    ("MSP-PODCAST_0003_0002.wav", "X", "Unknown", "Train"),
    ("MSP-PODCAST_0004_0001.wav", "N", "7", "Development"),
    ("MSP-PODCAST_0005_0001_0001.wav", "H", "8", "Test1"),
    ("MSP-PODCAST_0006_0001.wav", "H", "9", "Test2"),
    ("MSP-PODCAST_0007_0001.wav", "", "", "Test3"),  # what nobody is told
)


def line(file: str, emotion: str, speaker: str, split: str) -> str:
    return f"{file},{emotion},4.2,3.1,4.0,{speaker},Female,{split}"


def make_corpus(
    folder: Path, lines: list[str], labels: str = "Labels/labels_consensus.csv", audio: str = "Audios"
) -> Path:
    for path in (folder / labels, folder / audio / "x"):
        path.parent.mkdir(parents=True)
    (folder / labels).write_text("\n".join([HEADER, *lines]) + "\n")
    for index, row in enumerate(ROWS, start=1):
        soundfile.write(folder / audio / row[0], np.full(800 * index, 0.1), 16000)
    return folder


def prepare(corpus: Path, output: Path, *options: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(RECIPE.parents[1]), "python": sys.executable}
    command = ["local/data.sh", str(corpus), str(output), *options]
    return subprocess.run(command, cwd=RECIPE, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    "labels, audio, development",
    [
        ("Labels/labels_consensus.csv", "Audios", "Development"),
        ("Labels/labels_concensus.csv", "Audio", "Validation"),
    ],
)
def test_both_spellings_of_the_layout(tmp_path, labels, audio, development):
    lines = [line(*row).replace("Development", development) for row in ROWS]
    corpus = make_corpus(tmp_path / "corpus", lines, labels, audio)
    result = prepare(corpus, tmp_path / "data")
    assert result.returncode == 0, result.stderr
    for name in ("train", "dev", "test"):
        assert problems_in(tmp_path / "data" / name, classes=("angry", "sad", "happy", "neutral"), audio=True) == []
    train = tmp_path / "data/train"
    assert read_table(train / "utt2emo") == {
        "12-MSP-PODCAST_0001_0001": "angry",
        "12-MSP-PODCAST_0001_0002": "sad",
        "123-MSP-PODCAST_0002_0001": "neutral",
        "MSP-PODCAST_0003_0001": "happy",
    }
    assert read_table(train / "utt2spk")["MSP-PODCAST_0003_0001"] == "MSP-PODCAST_0003_0001"  # unknown: its own speaker
    assert list(read_table(train / "spk2utt")) == ["12", "123", "MSP-PODCAST_0003_0001"]
    assert read_table(train / "wav.scp")["12-MSP-PODCAST_0001_0001"] == str(corpus / audio / ROWS[0][0])
    assert float(read_table(train / "utt2dur")["123-MSP-PODCAST_0002_0001"]) == 0.15
    assert list(read_table(tmp_path / "data/dev/utt2emo").values()) == ["neutral"]
    assert list(read_table(tmp_path / "data/test/wav.scp")) == ["8-MSP-PODCAST_0005_0001_0001"]
    # Seven turns of the four classes, Test2 included, beside those of the release.
    assert "happy      found      3, expected in release 1.11  29454" in result.stderr
    assert "7 utterances of the classes, expected 100896 in release 1.11" in result.stderr
    assert not (tmp_path / "data/missing_files.txt").exists()


def test_missing_files_are_listed_and_stop_the_preparation_unless_allowed(tmp_path):
    corpus, data = make_corpus(tmp_path / "corpus", [line(*row) for row in ROWS]), tmp_path / "data"
    missing = corpus / "Audios" / ROWS[0][0]
    missing.unlink()
    result = prepare(corpus, data)
    assert result.returncode == 1
    assert "1 of 6 files are missing" in result.stderr and str(data / "missing_files.txt") in result.stderr
    assert (data / "missing_files.txt").read_text() == f"{missing}\n"
    assert not (data / "train").exists()
    assert "--allow-missing true" in result.stderr
    assert prepare(corpus, data, "--allow_missing", "true").returncode == 0
    assert "12-MSP-PODCAST_0001_0001" not in read_table(data / "train/wav.scp")
    assert (data / "missing_files.txt").read_text() == f"{missing}\n"


@pytest.mark.parametrize(
    "lines, message",
    [
        ([line(*ROWS[0]), line(*ROWS[0])], ":3: MSP-PODCAST_0001_0001.wav: the file has a row above already"),
        ([line(*ROWS[0]).replace(",A,", ",Q,")], ":2: MSP-PODCAST_0001_0001.wav: unknown EmoClass 'Q'"),
        ([line(*ROWS[0]).replace("Train", "Tain")], ":2: MSP-PODCAST_0001_0001.wav: unknown Split_Set 'Tain'"),
        ([line(*ROWS[0]).replace(",12,", ",,")], ":2: MSP-PODCAST_0001_0001.wav: expected values for"),
        ([], "no turn of the classes angry happy neutral sad"),
    ],
)
def test_wrong_rows_are_named(tmp_path, lines, message):
    result = prepare(make_corpus(tmp_path / "corpus", lines), tmp_path / "data")
    assert result.returncode == 1 and message in result.stderr, result.stderr
    assert not (tmp_path / "data").exists()


def test_classes_choose_the_labels(tmp_path):
    lines = [line(*row) for row in ROWS]
    letters = {"U": "surprised", "F": "fearful", "D": "disgusted", "C": "contempt"}
    for number, letter in enumerate(letters):
        for split in ("Train", "Development", "Test1"):
            lines.append(line(f"MSP-PODCAST_10{number}0_{split}.wav", letter, f"{number}{split}", split))
    corpus = make_corpus(tmp_path / "corpus", lines)
    for name in (row.split(",")[0] for row in lines[len(ROWS) :]):
        soundfile.write(corpus / "Audios" / name, np.full(800, 0.1), 16000)
    result = prepare(corpus, tmp_path / "data", "--classes", " ".join(letters.values()))
    assert result.returncode == 0, result.stderr
    for name in ("train", "dev", "test"):
        assert sorted(read_table(tmp_path / "data" / name / "utt2emo").values()) == sorted(letters.values())
    # The eight rows above that are not of Test3, of which three are happy.
    assert (
        "in none of the classes: 8 utterances (1 angry, 3 happy, 2 neutral, 1 sad, 1 without agreement)"
        in result.stderr
    )
    assert "surprised  found      3\n" in result.stderr and "expected in release" not in result.stderr
    default = prepare(corpus, tmp_path / "four")
    assert "in none of the classes: 13 utterances" in default.stderr
    assert set(read_table(tmp_path / "four/train/utt2emo").values()) == {"angry", "sad", "happy", "neutral"}


def test_an_unknown_class_is_refused(tmp_path):
    result = prepare(make_corpus(tmp_path / "corpus", []), tmp_path / "data", "--classes", "angry bored")
    assert result.returncode == 1 and "classes 'angry bored'" in result.stderr
    assert "angry sad happy neutral surprised fearful disgusted contempt" in result.stderr


def test_wrong_columns_and_a_missing_corpus(tmp_path):
    corpus = make_corpus(tmp_path / "corpus", [])
    (corpus / "Labels/labels_consensus.csv").write_text("file,emotion\na.wav,A\n")
    assert "no column FileName, EmoClass, SpkrID, Split_Set" in prepare(corpus, tmp_path / "data").stderr
    (corpus / "Labels/labels_consensus.csv").write_text("")
    assert "found nothing" in prepare(corpus, tmp_path / "data").stderr
    result = prepare(tmp_path / "nowhere", tmp_path / "data")
    assert result.returncode == 1 and "MSP-Podcast.html" in result.stderr
