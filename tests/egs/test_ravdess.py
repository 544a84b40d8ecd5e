"""egs/ravdess/local on short files with the corpus's own names."""

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

RECIPE = Path(__file__).parents[2] / "egs/ravdess"
SETS = ("train", "dev", "test")
EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgusted", "surprised")  # 01 to 08
FOUR = ("angry", "happy", "neutral", "sad")


def prepare(corpus: Path, output: Path, *options: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(RECIPE.parents[1]), "python": sys.executable}
    command = [str(RECIPE / "local/data.sh"), str(corpus), str(output), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def copy_of(corpus: Path, folder: Path) -> Path:
    """A copy by hard links, to take files from."""
    return Path(shutil.copytree(corpus, folder, copy_function=os.link))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """All 1,440 names, 0.1 s at 48 kHz each."""
    folder = tmp_path_factory.mktemp("ravdess")
    sound = folder / "sound.wav"
    soundfile.write(sound, np.random.default_rng(0).standard_normal(4800) / 10, 48000)
    for actor in range(1, 25):
        (folder / f"Actor_{actor:02}").mkdir()
        for emotion in range(1, 9):
            for intensity in (1,) if emotion == 1 else (1, 2):
                for take in ("01-01", "01-02", "02-01", "02-02"):
                    name = f"03-01-{emotion:02}-{intensity:02}-{take}-{actor:02}.wav"
                    os.link(sound, folder / f"Actor_{actor:02}" / name)
    return folder


@pytest.fixture(scope="module")
def prepared(corpus, tmp_path_factory) -> tuple[Path, str]:
    """The data directories of all classes, and what was logged."""
    output = tmp_path_factory.mktemp("data")
    result = prepare(corpus, output, "--classes", " ".join(EMOTIONS))
    assert result.returncode == 0, result.stderr
    return output, result.stderr


def test_sets_are_valid_and_speak_16_khz(prepared):
    data, _ = prepared
    for name in SETS:
        assert problems_in(data / name, classes=EMOTIONS) == []
    wav = read_table(data / "test/wav.scp")
    assert all(Path(path).is_absolute() for path in wav.values())
    utterance = "Actor_02-03-01-06-02-01-02-02"
    assert len(read_audio(wav[utterance], utterance)) == 1600
    assert read_table(data / "test/utt2dur")[utterance] == "0.1000"


def test_labels_and_actors_are_those_of_the_file_names(prepared):
    for name in SETS:
        emotions, speakers = (read_table(prepared[0] / name / table) for table in ("utt2emo", "utt2spk"))
        for utterance, path in read_table(prepared[0] / name / "wav.scp").items():
            fields = Path(path).stem.split("-")
            assert utterance == f"Actor_{fields[6]}-{Path(path).stem}"
            assert emotions[utterance] == EMOTIONS[int(fields[2]) - 1]
            assert speakers[utterance] == f"Actor_{fields[6]}" == Path(path).parent.name


def test_no_actor_is_in_two_sets_and_each_set_has_both_sexes_and_every_class(prepared):
    actors = [{int(actor[-2:]) for actor in read_table(prepared[0] / name / "spk2utt")} for name in SETS]
    assert sorted(actor for group in actors for actor in group) == list(range(1, 25))
    assert [(sum(actor % 2 for actor in group), len(group)) for group in actors] == [(7, 14), (2, 4), (3, 6)]
    for name, people in zip(SETS, (14, 4, 6)):
        counts = Counter(read_table(prepared[0] / name / "utt2emo").values())
        assert counts == {emotion: people * (4 if emotion == "neutral" else 8) for emotion in EMOTIONS}


def test_the_split_is_the_draw_from_seed_0(prepared):
    generator = random.Random("0/ravdess")
    dev, test = [], []
    for people in (range(2, 25, 2), range(1, 25, 2)):  # women, men
        order = sorted(people, key=lambda _: generator.random())
        test += order[:3]
        dev += order[3:5]
    for name, drawn in (("dev", dev), ("test", test)):
        assert list(read_table(prepared[0] / name / "spk2utt")) == [f"Actor_{actor:02}" for actor in sorted(drawn)]


def test_classes_choose_the_labels_and_the_rest_is_counted(corpus, tmp_path):
    (tmp_path / "missing_files.txt").write_text("of an earlier run\n")
    result = prepare(corpus, tmp_path)
    assert result.returncode == 0, result.stderr
    counts = "768 utterances (192 calm, 192 disgusted, 192 fearful, 192 surprised)"
    assert f"in none of the classes: {counts}" in result.stderr
    sizes = [Counter(read_table(tmp_path / name / "utt2emo").values()) for name in SETS]
    assert [[size[emotion] for emotion in FOUR] for size in sizes] == [
        [112, 112, 56, 112],
        [32, 32, 16, 32],
        [48, 48, 24, 48],
    ]
    assert all(set(size) == set(FOUR) for size in sizes)
    assert not (tmp_path / "missing_files.txt").exists()


def test_babble_is_what_the_training_actors_say_in_other_emotions(corpus, prepared, tmp_path):
    assert prepare(corpus, tmp_path).returncode == 0
    babble = tmp_path / "babble"
    assert problems_in(babble) == [] and not (babble / "utt2emo").exists()
    counts = Counter(EMOTIONS[int(utterance.split("-")[3]) - 1] for utterance in read_table(babble / "wav.scp"))
    assert counts == dict.fromkeys(("calm", "fearful", "disgusted", "surprised"), 112)
    assert list(read_table(babble / "spk2utt")) == list(read_table(tmp_path / "train/spk2utt"))
    # All eight classes leave nothing else.
    assert read_table(prepared[0] / "babble/wav.scp") == read_table(prepared[0] / "train/wav.scp")
    assert "its voices are the training utterances" in prepared[1]


@pytest.mark.parametrize("classes", ["angry joyful", ""])
def test_unknown_classes_are_refused_with_those_of_the_corpus(corpus, tmp_path, classes):
    result = prepare(corpus, tmp_path / "data", "--classes", classes)
    assert result.returncode == 1
    assert f"classes '{classes}'" in result.stderr and " ".join(EMOTIONS) in result.stderr
    assert not (tmp_path / "data").exists()


def test_songs_and_sound_of_videos_are_left_out(corpus, tmp_path):
    other = copy_of(corpus, tmp_path / "corpus")
    for name in ("03-02-03-01-01-01-07.wav", "01-01-03-01-01-01-07.wav", "._03-01-03-01-01-01-07.wav"):
        os.link(corpus / "sound.wav", other / "Actor_07" / name)
    result = prepare(other, tmp_path / "data")
    assert result.returncode == 0, result.stderr
    assert "2 other files (songs, sound of videos) are left out" in result.stderr
    assert len(read_table(tmp_path / "data/test/wav.scp")) == 168


def test_a_half_copied_corpus_is_counted_and_listed(corpus, tmp_path):
    half = copy_of(corpus, tmp_path / "corpus")
    shutil.rmtree(half / "Actor_24")
    (half / "Actor_01/03-01-05-02-01-01-01.wav").unlink()
    result = prepare(half, tmp_path / "data")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "Actor_01: 59 files of 60\nActor_24: 0 files of 60" in result.stderr
    assert "61 of 1440 files are missing" in result.stderr and "--allow-missing true" in result.stderr
    listed = (tmp_path / "data/missing_files.txt").read_text().splitlines()
    assert len(listed) == 61 and listed[0] == str(half / "Actor_01/03-01-05-02-01-01-01.wav")
    assert not (tmp_path / "data/train").exists()

    result = prepare(half, tmp_path / "data", "--allow_missing", "true")
    assert result.returncode == 0, result.stderr
    assert len(read_table(tmp_path / "data/train/wav.scp")) == 392 - 28 - 1


def test_a_wrong_folder_says_where_to_get_the_corpus(tmp_path):
    result = prepare(tmp_path / "nowhere", tmp_path / "data")
    assert result.returncode == 1
    assert str(tmp_path / "nowhere") in result.stderr and "zenodo.org/records/1188976" in result.stderr


def test_files_that_are_not_the_corpus_s_are_refused(corpus, tmp_path):
    other = copy_of(corpus, tmp_path / "corpus")
    names = (
        "03-01-01-02-01-01-03.wav",  # a strong neutral
        "03-01-05-01-01-01-04.wav",  # another actor's
        "03-01-09-01-01-01-03.wav",
        "03-01-05-01-01-01-03 (1).wav",
    )
    for name in names:
        os.link(corpus / "sound.wav", other / "Actor_03" / name)
    result = prepare(other, tmp_path / "data")
    assert result.returncode == 1
    assert all(f"{other / 'Actor_03' / name}: not a file of RAVDESS" in result.stderr for name in names)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["phase1_ser", "phase1_se", "phase2"])
def test_configurations_have_known_options_and_leave_the_method_open(name):
    config = yaml.safe_load((RECIPE / f"conf/{name}.yaml").read_text())
    assert set(config) == {"model", "training"}
    MeritTraining(**config["training"])
    ModelConfig(**config["model"])
    assert set(config["model"]) == ({"expert_size"} if name == "phase2" else {"front_end"})
