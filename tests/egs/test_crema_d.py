"""egs/crema_d/local on short files with the corpus's own names."""

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

from merit.data.datadir import problems_in, read_table
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.training_options import MeritTraining

RECIPE = Path(__file__).parents[2] / "egs/crema_d"
SETS = ("train", "dev", "test")
EMOTIONS = {"ANG": "angry", "DIS": "disgusted", "FEA": "fearful", "HAP": "happy", "NEU": "neutral", "SAD": "sad"}
SENTENCES = "DFA IEO IOM ITH ITS IWL IWW MTI TAI TIE TSI WSI".split()
# The corpus's VideoDemographics.csv.
WOMEN = {
    *(1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025, 1028, 1029, 1030),
    *(1037, 1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060, 1061, 1063, 1072, 1073, 1074, 1075),
    *(1076, 1078, 1079, 1082, 1084, 1089, 1091),
}

NEVER = ("1008_WSI", "1009_MTI", "1019_ITH")


def prepare(corpus: Path, output: Path, *options: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(RECIPE.parents[1]), "python": sys.executable}
    command = [str(RECIPE / "local/data.sh"), str(corpus), str(output), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def names_of(actor: int) -> list[str]:
    """What an actor would have said in the whole design of the corpus."""
    return [
        f"{actor}_{sentence}_{emotion}_{level}"
        for sentence in SENTENCES
        for emotion in EMOTIONS
        for level in (("LO", "MD", "HI") if sentence == "IEO" and emotion != "NEU" else ("XX",))
    ]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """All actors with one of the twelve sentences in all emotions, 0.1 s each, and the silent recording."""
    folder = tmp_path_factory.mktemp("crema_d")
    (folder / "AudioWAV").mkdir()
    sound = folder / "sound.wav"
    soundfile.write(sound, np.random.default_rng(0).standard_normal(1600) / 10, 16000)
    for name in [f"{actor}_IWW_{emotion}_XX" for actor in range(1001, 1092) for emotion in EMOTIONS]:
        os.link(sound, folder / "AudioWAV" / f"{name}.wav")
    soundfile.write(folder / "AudioWAV/1076_MTI_SAD_XX.wav", np.zeros(1600), 16000)
    rows = "".join(f'{actor},30,"{"Female" if actor in WOMEN else "Male"}","X","Y"\n' for actor in range(1001, 1092))
    (folder / "VideoDemographics.csv").write_text(f'"ActorID","Age","Sex","Race","Ethnicity"\n{rows}')
    return folder


@pytest.fixture(scope="module")
def prepared(corpus, tmp_path_factory) -> tuple[Path, str]:
    """The data directories of all classes, and what was logged."""
    output = tmp_path_factory.mktemp("data")
    result = prepare(corpus, output, "--allow_missing", "true", "--classes", " ".join(EMOTIONS.values()))
    assert result.returncode == 0, result.stderr
    return output, result.stderr


@pytest.fixture
def part(corpus, tmp_path) -> Path:
    """Three actors of the corpus, one of each set."""
    folder = tmp_path / "corpus"
    (folder / "AudioWAV").mkdir(parents=True)
    for name in (name for actor in (1001, 1004, 1012) for name in names_of(actor)):
        os.link(corpus / "sound.wav", folder / f"AudioWAV/{name}.wav")
    return folder


def test_sets_are_valid_and_labels_are_the_intended_emotions_of_the_file_names(prepared):
    for name in SETS:
        assert problems_in(prepared[0] / name, classes=tuple(EMOTIONS.values())) == []
        emotions, speakers = (read_table(prepared[0] / name / table) for table in ("utt2emo", "utt2spk"))
        for utterance, path in read_table(prepared[0] / name / "wav.scp").items():
            assert utterance == Path(path).stem and Path(path).is_absolute()
            actor, _, emotion, _ = utterance.split("_")
            assert (speakers[utterance], emotions[utterance]) == (actor, EMOTIONS[emotion])


def test_no_actor_is_in_two_sets_and_each_set_has_both_sexes(prepared):
    actors = [set(map(int, read_table(prepared[0] / name / "spk2utt"))) for name in SETS]
    assert sorted(actor for group in actors for actor in group) == list(range(1001, 1092))
    assert [(len(group & WOMEN), len(group - WOMEN)) for group in actors] == [(29, 34), (7, 7), (7, 7)]
    assert "63 actors (29 female, 34 male)" in prepared[1] and prepared[1].count("(7 female, 7 male)") == 2


def test_every_set_has_every_class_and_the_silent_recording_is_not_used(prepared):
    for name, people in zip(SETS, (63, 14, 14)):
        counts = Counter(read_table(prepared[0] / name / "utt2emo").values())
        assert counts == dict.fromkeys(EMOTIONS.values(), people)
    assert "1076_MTI_SAD_XX, which is silent" in prepared[1]


def test_the_recordings_of_the_whole_corpus_are_known(corpus, prepared):
    names = {path.stem for path in (corpus / "AudioWAV").iterdir()}
    names |= {Path(line).stem for line in (prepared[0] / "missing_files.txt").read_text().splitlines()}
    never = {"1002_TIE_NEU_XX", "1076_ITS_NEU_XX"}  # not in the corpus's SentenceFilenames.csv, as what follows
    never |= {name for name in names_of(1008) + names_of(1009) + names_of(1019) if name[:8] in NEVER}
    assert names == {name for actor in range(1001, 1092) for name in names_of(actor)} - never
    assert len(names) == 7442
    counts = Counter(name.split("_")[2] for name in names)
    assert counts == dict.fromkeys(EMOTIONS, 1271) | {"NEU": 1087}


def test_the_split_is_the_draw_from_seed_0(prepared):
    generator = random.Random("0/crema_d")
    dev, test = [], []
    for people in (sorted(WOMEN), sorted(set(range(1001, 1092)) - WOMEN)):
        order = sorted(people, key=lambda _: generator.random())
        test += order[:7]
        dev += order[7:14]
    for name, drawn in (("dev", dev), ("test", test)):
        assert list(read_table(prepared[0] / name / "spk2utt")) == [str(actor) for actor in sorted(drawn)]


def test_classes_choose_the_labels_and_the_rest_is_counted(corpus, tmp_path):
    result = prepare(corpus, tmp_path, "--allow_missing", "true")
    assert result.returncode == 0, result.stderr
    assert "in none of the classes: 182 utterances (91 disgusted, 91 fearful)" in result.stderr
    for name in SETS:
        assert set(read_table(tmp_path / name / "utt2emo").values()) == {"angry", "happy", "neutral", "sad"}


def test_babble_is_what_the_training_actors_say_in_other_emotions(corpus, prepared, tmp_path):
    assert prepare(corpus, tmp_path, "--allow_missing", "true").returncode == 0
    babble = tmp_path / "babble"
    assert problems_in(babble) == [] and not (babble / "utt2emo").exists()
    assert {utterance.split("_")[2] for utterance in read_table(babble / "wav.scp")} == {"DIS", "FEA"}
    assert list(read_table(babble / "spk2utt")) == list(read_table(tmp_path / "train/spk2utt"))
    # All six classes leave nothing else.
    assert read_table(prepared[0] / "babble/wav.scp") == read_table(prepared[0] / "train/wav.scp")
    assert "its voices are the training utterances" in prepared[1]
    assert prepare(corpus, tmp_path, "--allow_missing", "true", "--classes", "angry happy").returncode == 0
    assert len(read_table(babble / "wav.scp")) == 63 * 4 and "1076_MTI_SAD_XX" not in read_table(babble / "wav.scp")


def test_unknown_classes_are_refused_with_those_of_the_corpus(part, tmp_path):
    result = prepare(part, tmp_path / "data", "--classes", "angry calm")
    assert result.returncode == 1
    assert "classes 'angry calm'" in result.stderr and " ".join(EMOTIONS.values()) in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_half_copied_corpus_is_counted_and_listed(part, tmp_path):
    (part / "AudioWAV/1004_IEO_SAD_MD.wav").unlink()
    result = prepare(part, tmp_path / "data")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    missing = 7442 - 3 * 82 + 1
    assert f"{missing} of 7442 files are missing" in result.stderr and "--allow-missing true" in result.stderr
    # Actors 1002 and 1008 have fewer than 82 recordings to begin with.
    counts = ["1002: 0 files of 81", "1003: 0 files of 82", "1004: 81 files of 82", "1008: 0 files of 76"]
    assert all(count in result.stderr for count in counts) and "1001: " not in result.stderr
    listed = (tmp_path / "data/missing_files.txt").read_text().splitlines()
    assert len(listed) == missing and str(part / "AudioWAV/1004_IEO_SAD_MD.wav") in listed
    assert str(part / "AudioWAV/1002_TIE_NEU_XX.wav") not in listed
    assert not (tmp_path / "data/train").exists()

    # Without the demographics, and from the folder of the audio itself.
    result = prepare(part / "AudioWAV", tmp_path / "data", "--allow_missing", "true")
    assert result.returncode == 0, result.stderr
    assert [len(read_table(tmp_path / f"data/{name}/wav.scp")) for name in SETS] == [54, 53, 54]
    assert "1 actors (1 of unknown sex)" in result.stderr


def test_the_recording_that_older_copies_misname_is_accepted(part, tmp_path):
    os.link(part / "AudioWAV/1001_DFA_SAD_XX.wav", part / "AudioWAV/1040_ITH_SAD_X.wav")
    result = prepare(part, tmp_path / "data", "--allow_missing", "true")
    assert result.returncode == 0, result.stderr
    assert read_table(tmp_path / "data/train/wav.scp")["1040_ITH_SAD_XX"].endswith("/1040_ITH_SAD_X.wav")
    assert "1040_ITH_SAD_X" not in (tmp_path / "data/missing_files.txt").read_text()


def test_placeholders_of_git_lfs_are_recognised(part, tmp_path):
    pointer = part / "AudioWAV/1012_DFA_ANG_XX.wav"
    pointer.unlink()
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:c6f9\nsize 72862\n")
    result = prepare(part, tmp_path / "data", "--allow_missing", "true")
    assert result.returncode == 1
    assert "1 of 246 files hold no audio" in result.stderr and "git lfs pull" in result.stderr


def test_a_wrong_folder_and_wrong_names_are_refused(part, tmp_path):
    result = prepare(tmp_path / "nowhere", tmp_path / "data")
    assert result.returncode == 1
    assert str(tmp_path / "nowhere") in result.stderr and "CheyneyComputerScience/CREMA-D" in result.stderr
    names = ("1001_DFA_ANG_HI", "1092_DFA_ANG_XX", "1001_DFA_JOY_XX", "1008_WSI_SAD_XX", "1001_DFA_ANG_XX copy")
    for name in names:
        shutil.copy(part / "AudioWAV/1001_DFA_ANG_XX.wav", part / f"AudioWAV/{name}.wav")
    result = prepare(part, tmp_path / "data")
    assert result.returncode == 1
    assert all(f"{part}/AudioWAV/{name}.wav: not a file of CREMA-D" in result.stderr for name in names)
    assert not (tmp_path / "data").exists()


def test_demographics_with_other_columns_are_refused(part, tmp_path):
    (part / "VideoDemographics.csv").write_text("Actor,Sex\n1001,Male\n")
    result = prepare(part, tmp_path / "data", "--allow_missing", "true")
    assert result.returncode == 1 and "VideoDemographics.csv:1: no columns ActorID and Sex" in result.stderr


@pytest.mark.parametrize("name", ["phase1_ser", "phase1_se", "phase2"])
def test_configurations_have_known_options_and_leave_the_method_open(name):
    config = yaml.safe_load((RECIPE / f"conf/{name}.yaml").read_text())
    assert set(config) == {"model", "training"}
    MeritTraining(**config["training"])
    ModelConfig(**config["model"])
    assert set(config["model"]) == ({"expert_size"} if name == "phase2" else {"front_end"})
