"""What is drawn from is the part of the corpora that is for it, and nothing that dev and test hear."""

from pathlib import Path

import numpy as np
import pytest
from made_audio import write

from merit.data.datadir import read_table, write_data_directory
from merit.data.noise.babble import made_of, make_babble
from merit.data.noise.online.noise_options import parse_noises
from merit.data.noise.online.noises import Babble, Recordings
from merit.data.noise.online.sources import BabbleSpeech, find_mixing
from merit.data.noise.online.values import Values
from merit.errors import MeritError


@pytest.fixture
def talkers(recipe):
    """Three speakers with eight utterances each, and babble of theirs."""
    generator = np.random.default_rng(0)
    wav = {f"{s}-{n}": write(recipe / f"{s}-{n}.wav", generator.standard_normal(4000)) for s in "xyz" for n in range(8)}
    write_data_directory(recipe / "data/talkers", wav, {name: name[0] for name in wav})
    make_babble(recipe / "data/talkers", recipe / "babble", files=(4, 1, 1), talkers=2, seconds=0.2)
    return BabbleSpeech(recipe / "data/talkers", recipe / "babble", 2)


def find(recipe, talkers, *noises, part="train", **options):
    fixed = (Values((0.0,), False), Values((0.0,), False), recipe / "data", talkers)
    return find_mixing(recipe / "data/test", part, parse_noises(noises, "--noises"), *fixed, **options)


def files_of(mixing) -> list[set[str]]:
    return [set(noise.entries) for noise in mixing.noises]


def test_parts_of_corpora_and_rooms_are_disjoint_and_those_of_their_manifests(recipe, talkers):
    generator = np.random.default_rng(0)
    for number in range(10):
        write(recipe / f"wind/{number}.wav", generator.standard_normal(900))
        write(recipe / f"rirs/{number}.wav", np.array([1.0, *(0.01 * generator.standard_normal(90))]))
    found = {
        part: find(recipe, talkers, f"wind@3={recipe}/wind", part=part, rooms=recipe / "rirs", room_share=0.5)
        for part in ("train", "dev")
    }
    for folder, manifest, used in (
        ("wind", "noise/wind.tsv", {part: files_of(mixing)[0] for part, mixing in found.items()}),
        ("rirs", "rir/rirs.tsv", {part: set(mixing.rooms) for part, mixing in found.items()}),
    ):
        lines = [line.split("\t")[:2] for line in (recipe / "data" / manifest).read_text().splitlines()[1:]]
        for part, files in used.items():
            assert files == {str(recipe / folder / file) for listed, file in lines if listed == part} != set()
            assert all(Path(file).is_absolute() for file in files)
    assert found["train"].noises[0].weight == 3 and found["train"].room_share == 0.5
    assert found["train"].content != found["dev"].content


def test_training_says_nothing_of_what_dev_and_test_babble_say(recipe, talkers):
    (babble,) = find(recipe, talkers, "babble@0.5").noises
    assert isinstance(babble, Babble) and (babble.weight, babble.talkers) == (0.5, 2)
    wav, spoken = read_table(talkers.data / "wav.scp"), made_of(talkers.folder)
    held_out = {entry for file, said in spoken.items() if file.startswith(("dev/", "test/")) for entry in said}
    assert held_out and set(babble.entries) == set(wav.values()) - held_out
    assert all(f"/{speaker}-" in entry for speaker, entries in babble.speech.items() for entry in entries)
    (dev,) = find(recipe, talkers, "babble", part="dev").noises
    assert isinstance(dev, Recordings) and dev.files == [str(recipe / "babble/dev/babble-000.flac")]


def test_babble_of_unknown_talkers_is_no_folder_for_babble_on_the_spot(recipe, talkers):
    for name in ("manifest.tsv", "settings.json"):
        (talkers.folder / name).unlink()
    with pytest.raises(MeritError, match="babble: does not tell who talks in it; make it with merit.bin.make_babble"):
        find(recipe, talkers, "babble")


def test_babble_of_one_speaker_is_refused(recipe, talkers):
    wav = {name: entry for name, entry in read_table(talkers.data / "wav.scp").items() if name[0] == "x"}
    write_data_directory(recipe / "data/one", wav, {name: "x" for name in wav})
    with pytest.raises(MeritError, match="babble: 2 talkers of 1 speakers; expected .* two speakers"):
        find(recipe, BabbleSpeech(recipe / "data/one", talkers.folder, 2), "babble")


def mixed_with_themselves(recipe, files):
    """Babble of the very utterances that are mixed with it, as a corpus."""
    wav = read_table(recipe / "data/test/wav.scp")
    write_data_directory(recipe / "data/said", wav, {name: name[0] for name in wav})
    make_babble(recipe / "data/said", recipe / "own", files=(files, 0, 0), talkers=1, seconds=0.05)


def test_a_corpus_of_babble_is_never_heard_by_who_talks_in_it(recipe, talkers):
    mixed_with_themselves(recipe, files=6)
    (own,) = find(recipe, talkers, f"own={recipe}/own").noises
    wav, spoken = read_table(recipe / "data/test/wav.scp"), made_of(recipe / "own")
    expected = {
        str(recipe / "own" / file): [name for name, entry in wav.items() if entry in said]
        for file, said in spoken.items()
    }
    assert own.talking == expected and set(map(len, expected.values())) <= {1, 2}
    (recipe / "own/manifest.tsv").unlink(), (recipe / "data/noise/own.tsv").unlink()
    mixed_with_themselves(recipe, files=1)
    with pytest.raises(MeritError, match="own: all noise files hold [ab]-[12]; make the babble of other speech"):
        find(recipe, talkers, f"own={recipe}/own")


def test_leaks_between_the_noises_are_refused(recipe, talkers):
    samples = np.random.default_rng(1).standard_normal(900)
    write(recipe / "a/train/1.wav", samples), write(recipe / "a/dev/2.wav", samples[::-1])
    write(recipe / "b/train/3.wav", 0.5 * samples), write(recipe / "b/dev/4.wav", samples)
    with pytest.raises(MeritError, match="b.tsv: noise leaks between parts"):
        find(recipe, talkers, f"a={recipe}/a", f"b={recipe}/b")


def test_damaged_recordings_are_listed_before_anything_is_trained(recipe, talkers):
    for part in ("train", "dev"):
        write(recipe / f"cut/{part}/1.wav", np.random.default_rng(len(part)).standard_normal(900))
    path = recipe / "cut/train/1.wav"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(MeritError, match="cut: 1 of 1 files are damaged.*\n.*truncated, 50 bytes are missing"):
        find(recipe, talkers, f"cut={recipe}/cut")


def test_another_content_is_another_mixing_wherever_it_lies(recipe, talkers):
    for folder in ("here", "there"):
        for part in ("train", "dev"):
            write(recipe / folder / part / "1.wav", np.random.default_rng(len(part)).standard_normal(900))
    here = find(recipe, talkers, f"n={recipe}/here", "babble")
    assert find(recipe, talkers, f"n={recipe}/there", "babble").content == here.content
    write(recipe / "there/train/1.wav", np.ones(900))
    assert find(recipe, talkers, f"n={recipe}/there", "babble").content != here.content


def test_an_invalid_data_directory_is_refused(recipe, talkers):
    (recipe / "corpus/a-2.flac").unlink()
    with pytest.raises(MeritError, match="cannot be mixed(.|\n)*the file is missing: a-2"):
        find(recipe, talkers, "babble")
