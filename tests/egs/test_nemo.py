"""egs/nemo/local on short files with the corpus's own names."""

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from merit.data.audio import read_audio
from merit.data.datadir import problems_in, read_table
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.training_options import MeritTraining

RECIPE = Path(__file__).parents[2] / "egs/nemo"
SETS = ("train", "dev", "test")
EMOTIONS = {
    "anger": "angry",
    "fear": "fearful",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprised",
}
WOMEN, MEN = ("EB0", "IC0", "KD0", "MK0"), ("KS0", "MP0", "SM0", "TP0", "WR0")
# Recordings of an actor in the published table, by emotion as above; the others have 90 of each.
COUNTS = {
    "EB0": (90, 90, 90, 90, 90, 89),
    "MK0": (90, 90, 90, 90, 90, 0),
    "MP0": (29, 17, 30, 90, 49, 41),
    "SM0": (90, 89, 89, 90, 90, 90),
    "TP0": (90, 90, 90, 90, 90, 89),
    "WR0": (90, 90, 90, 89, 90, 90),
}
HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"


def row(name: str) -> str:
    """A row of the table, with the spaces before the speaker and the quotation marks that it may have."""
    actor, emotion, _ = name.split("_")
    sex = "female" if actor in WOMEN else "male"
    return f'{name}.wav\t{emotion}\t„Ucho" wykrywa dźwięki.\tucho wykrywa dźwięki\t        {actor}\t{sex}\t23\n'


def prepare(corpus: Path, output: Path, *options: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(RECIPE.parents[1]), "python": sys.executable}
    command = [str(RECIPE / "local/data.sh"), str(corpus), str(output), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def error_of(result: subprocess.CompletedProcess) -> str:
    """The error a preparation ended with, which is one line."""
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: ")
    return result.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """As many names as the whole corpus has of each actor and emotion, 0.1 s at 24 kHz each."""
    folder = tmp_path_factory.mktemp("nemo")
    (folder / "samples").mkdir()
    sound = folder / "sound.wav"
    soundfile.write(sound, np.random.default_rng(0).standard_normal(2400) / 10, 24000)
    names = [
        f"{actor}_{emotion}_{number}"
        for actor in WOMEN + MEN
        for emotion, count in zip(EMOTIONS, COUNTS.get(actor, (90,) * 6))
        for number in range(1, count + 1)
    ]
    for name in names:
        os.link(sound, folder / f"samples/{name}.wav")
    random.Random(0).shuffle(names)
    (folder / "data.tsv").write_text(HEADER + "".join(map(row, names)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def prepared(corpus, tmp_path_factory) -> tuple[Path, str]:
    """The data directories of all classes, and what was logged."""
    output = tmp_path_factory.mktemp("data")
    result = prepare(corpus, output, "--classes", " ".join(EMOTIONS.values()))
    assert result.returncode == 0, result.stderr
    return output, result.stderr


@pytest.fixture
def part(tmp_path) -> Path:
    """An actor of each set with an utterance of each emotion, at 16 kHz; the test's as FLAC."""
    folder = tmp_path / "corpus"
    (folder / "samples").mkdir(parents=True)
    sound = np.random.default_rng(0).standard_normal(1600) / 10
    names = [f"{actor}_{emotion}_7" for actor in ("IC0", "KS0", "SM0") for emotion in EMOTIONS]
    for name in names:
        soundfile.write(folder / f"samples/{name}.{'flac' if name[:3] == 'SM0' else 'wav'}", sound, 16000)
    (folder / "data.tsv").write_text(HEADER + "".join(map(row, names)), encoding="utf-8")
    return folder


def test_sets_are_valid_and_labels_are_the_emotions_of_the_table(prepared):
    for name in SETS:
        assert problems_in(prepared[0] / name, classes=tuple(EMOTIONS.values())) == []
        emotions, speakers = (read_table(prepared[0] / name / table) for table in ("utt2emo", "utt2spk"))
        for utterance, path in read_table(prepared[0] / name / "wav.scp").items():
            assert utterance == Path(path).stem and Path(path).is_absolute()
            actor, emotion, _ = utterance.split("_")
            assert (speakers[utterance], emotions[utterance]) == (actor, EMOTIONS[emotion])


def test_what_has_24_khz_is_read_at_16(prepared):
    path = read_table(prepared[0] / "dev/wav.scp")["KS0_anger_1"]
    assert len(read_audio(path, "KS0_anger_1")) == 1600
    assert read_table(prepared[0] / "dev/utt2dur")["KS0_anger_1"] == "0.1000"


def test_no_actor_is_in_two_sets_and_the_sexes_are_balanced(prepared):
    actors = [set(read_table(prepared[0] / name / "spk2utt")) for name in SETS]
    assert sorted(actor for group in actors for actor in group) == sorted(WOMEN + MEN)
    assert [(len(group & {*WOMEN}), len(group & {*MEN})) for group in actors] == [(3, 3), (0, 1), (1, 1)]


def test_the_split_is_the_draw_from_seed_0_among_the_actors_of_every_emotion(prepared):
    whole = [actor for actor in WOMEN + MEN if min(COUNTS.get(actor, (90,))) >= 89]
    generator = random.Random("0/nemo")
    women, men = (
        sorted((actor for actor in whole if actor in people), key=lambda _: generator.random())
        for people in (WOMEN, MEN)
    )
    assert list(read_table(prepared[0] / "test/spk2utt")) == sorted((women[0], men[0]))
    assert list(read_table(prepared[0] / "dev/spk2utt")) == [men[1]]


def test_the_classes_are_counted_beside_the_published_ones(corpus, prepared, tmp_path):
    sizes = [Counter(read_table(prepared[0] / name / "utt2emo").values()) for name in SETS]
    assert [[size[emotion] for emotion in EMOTIONS.values()] for size in sizes] == [
        [479, 467, 480, 539, 499, 400],
        [90, 90, 90, 90, 90, 90],
        [180, 179, 179, 180, 180, 179],
    ]
    assert "fearful    found    736, expected in the whole corpus    736" in prepared[1]
    assert "of the classes, expected" not in prepared[1] and "missing" not in prepared[1]

    (tmp_path / "missing_files.txt").write_text("of an earlier run\n")
    result = prepare(corpus, tmp_path)
    assert result.returncode == 0, result.stderr
    assert "in none of the classes: 1405 utterances (736 fearful, 669 surprised)" in result.stderr
    for name in SETS:
        assert set(read_table(tmp_path / name / "utt2emo").values()) == {"angry", "happy", "neutral", "sad"}
    assert not (tmp_path / "missing_files.txt").exists()


def test_babble_is_what_the_training_actors_say_in_other_emotions(prepared, part, tmp_path):
    options = ("--allow_missing", "true")
    assert prepare(part, tmp_path / "data", *options).returncode == 0
    babble = tmp_path / "data/babble"
    assert problems_in(babble) == [] and not (babble / "utt2emo").exists()
    assert list(read_table(babble / "wav.scp")) == ["IC0_fear_7", "IC0_surprised_7"]
    # All six classes leave nothing else, and so does a part without the other emotions.
    assert read_table(prepared[0] / "babble/wav.scp") == read_table(prepared[0] / "train/wav.scp")
    assert "its voices are the training utterances" in prepared[1]
    for emotion in ("fear", "surprised"):
        (part / f"samples/IC0_{emotion}_7.wav").unlink()
    result = prepare(part, tmp_path / "data", *options)
    assert result.returncode == 0 and "its voices are the training utterances" in result.stderr
    assert read_table(babble / "wav.scp") == read_table(tmp_path / "data/train/wav.scp")


def test_wav_and_flac_are_the_same_recordings_and_wav_goes_first(part, tmp_path):
    flac, wav = (part / f"samples/SM0_anger_7.{suffix}" for suffix in ("flac", "wav"))
    assert prepare(part, tmp_path / "data", "--allow_missing", "true").returncode == 0
    assert read_table(tmp_path / "data/test/wav.scp")["SM0_anger_7"] == str(flac)
    soundfile.write(wav, np.ones(1600) / 2, 16000)
    (part / "samples/._SM0_anger_7.wav").write_text("what macOS leaves")
    assert prepare(part, tmp_path / "data", "--allow_missing", "true").returncode == 0
    assert read_table(tmp_path / "data/test/wav.scp")["SM0_anger_7"] == str(wav)
    assert len(read_table(tmp_path / "data/test/wav.scp")) == 4


@pytest.mark.parametrize("classes", ["angry calm", "anger", ""])
def test_unknown_classes_are_refused_with_those_of_the_corpus(part, tmp_path, classes):
    error = error_of(prepare(part, tmp_path / "data", "--classes", classes))
    assert f"classes '{classes}'" in error and " ".join(EMOTIONS.values()) in error
    assert not (tmp_path / "data").exists()


def test_missing_files_are_counted_and_listed(part, tmp_path):
    (part / "samples/KS0_sadness_7.wav").unlink()
    (part / "samples/SM0_fear_7.flac").unlink()
    result = prepare(part, tmp_path / "data")
    error = error_of(result)
    assert "KS0: 5 files of 6\nSM0: 5 files of 6" in result.stderr
    assert "sad        found      2, expected in the whole corpus    769" in result.stderr
    assert f"{part}: 2 of 18 files are missing" in error and "--allow-missing true" in error
    listed = (tmp_path / "data/missing_files.txt").read_text().splitlines()
    assert listed == [str(part / f"samples/{name}_7.wav") for name in ("KS0_sadness", "SM0_fear")]
    assert not (tmp_path / "data/train").exists()

    result = prepare(part, tmp_path / "data", "--allow_missing", "true")
    assert result.returncode == 0, result.stderr
    assert [len(read_table(tmp_path / f"data/{name}/wav.scp")) for name in SETS] == [4, 3, 4]


def test_a_table_with_fewer_rows_is_not_the_whole_corpus(part, tmp_path):
    error = error_of(prepare(part, tmp_path / "data"))
    assert f"{part}/data.tsv: 18 rows, expected 4481" in error and "--allow-missing true" in error
    assert not (tmp_path / "data/train").exists()
    result = prepare(part, tmp_path / "data", "--allow_missing", "true")
    assert result.returncode == 0 and "18 rows, expected 4481; going on without the rest" in result.stderr


def test_a_folder_of_another_layout_says_what_is_expected(part, tmp_path):
    for folder in (tmp_path / "nowhere", part / "samples"):
        error = error_of(prepare(folder, tmp_path / "data"))
        assert f"{folder}: no nEMO here" in error and "data.tsv and samples" in error
        assert "github.com/amu-cai/nEMO" in error
    shutil.move(part / "samples", part / "wav")
    error = error_of(prepare(part, tmp_path / "data", "--allow_missing", "true"))
    assert f"{part}/samples: no audio here, expected EB0_anger_1.wav" in error
    assert not (tmp_path / "data").exists()


def test_audio_without_a_row_is_refused(part, tmp_path):
    shutil.copy(part / "samples/IC0_anger_7.wav", part / "samples/IC0_anger_8.wav")
    error = error_of(prepare(part, tmp_path / "data", "--allow_missing", "true"))
    assert f"{part}/samples/IC0_anger_8.wav: no row in data.tsv" in error
    assert not (tmp_path / "data").exists()


ROW = row("IC0_anger_7").rstrip("\n")


@pytest.mark.parametrize(
    "damaged, problem",
    [
        ("", ":1: expected the columns file_id emotion"),
        (HEADER.replace("\t", ","), ":1: expected the columns file_id emotion"),
        ("version https://git-lfs.github.com/spec/v1\n", ":1: expected the columns file_id emotion"),
        (HEADER + ROW[:30], ":2: 3 fields, expected 7"),
        (HEADER + ROW + "\n\n", ":3: 1 fields, expected 7"),
        (HEADER + ROW.replace("_7.", "_91."), ":2: 'IC0_anger_91.wav': not a file of nEMO"),
        (HEADER + ROW.replace("IC0", "XX0"), ":2: 'XX0_anger_7.wav': not a file of nEMO"),
        (HEADER + ROW.replace("anger", "boredom"), ":2: 'IC0_boredom_7.wav': not a file of nEMO"),
        (HEADER + ROW.replace("\tanger\t", "\tfear\t"), ":2: IC0_anger_7.wav with emotion 'fear'"),
        (HEADER + ROW.replace(" IC0", " KD0"), ":2: IC0_anger_7.wav with emotion 'anger' and speaker_id 'KD0'"),
        (HEADER + ROW + "\n" + ROW, ":3: IC0_anger_7.wav has a row above already"),
        (HEADER.encode() + ROW.encode("cp1250"), ": not text in UTF-8"),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(part, tmp_path, damaged, problem):
    (part / "data.tsv").write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    error = error_of(prepare(part, tmp_path / "data", "--allow_missing", "true"))
    assert f"{part}/data.tsv{problem}" in error and "restore the file" in error
    assert not (tmp_path / "data").exists()


def test_a_table_with_a_byte_order_mark_and_other_line_ends_is_read(part, tmp_path):
    text = (part / "data.tsv").read_text(encoding="utf-8")
    (part / "data.tsv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    result = prepare(part, tmp_path / "data", "--allow_missing", "true")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["phase1_ser", "phase1_se", "phase2"])
def test_configurations_have_known_options_and_leave_the_method_open(name):
    config = yaml.safe_load((RECIPE / f"conf/{name}.yaml").read_text())
    assert set(config) == {"model", "training"}
    MeritTraining(**config["training"])
    ModelConfig(**config["model"])
    assert set(config["model"]) == ({"expert_size"} if name == "phase2" else {"front_end"})
