from pathlib import Path

import numpy as np
import pytest
import soundfile

from merit.data.noise.recordings import PARTS, find_audio, named_corpus, noise_files, read_manifest
from merit.errors import MeritError


def make_corpus(folder, names, seed=0):
    """Files of different random content."""
    generator = np.random.default_rng(seed)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, 0.1 * generator.standard_normal(800), 16000)
    return folder


@pytest.fixture
def manifest(tmp_path):
    return tmp_path / "data" / "noise" / "hum.tsv"


@pytest.fixture
def flat(tmp_path):
    return make_corpus(tmp_path / "flat", [f"{kind}/{number}.wav" for kind in ("rain", "wind") for number in range(10)])


def names_by_part(folder, manifest, **options):
    return {part: [file.file for file in noise_files(folder, manifest, part, **options)] for part in PARTS}


def test_audio_is_found_recursively_and_sorted(tmp_path):
    make_corpus(tmp_path, ["b.wav", "a/z.flac", "a/y.ogg", "a/b/c.WAV", ".hidden/x.wav", "._b.wav"])
    (tmp_path / "a" / "notes.txt").write_text("no audio")
    assert find_audio(tmp_path) == ["a/b/c.WAV", "a/y.ogg", "a/z.flac", "b.wav"]


def test_sub_folders_are_the_parts(tmp_path, manifest, caplog):
    folder = make_corpus(tmp_path / "noise", ["train/a.wav", "train/x/b.wav", "dev/c.wav", "test/d.wav", "e.wav"])
    assert names_by_part(folder, manifest) == {
        "train": ["train/a.wav", "train/x/b.wav"],
        "dev": ["dev/c.wav"],
        "test": ["test/d.wav"],
    }
    assert "1 files are outside train, dev and test" in caplog.text
    assert [row.file for row in read_manifest(manifest)] == ["dev/c.wav", "test/d.wav", "train/a.wav", "train/x/b.wav"]
    make_corpus(folder, ["test/f.wav"], seed=1)
    assert names_by_part(folder, manifest)["test"] == ["test/d.wav", "test/f.wav"]


def test_drawn_split_shares_out_all_files(flat, manifest, tmp_path):
    parts = names_by_part(flat, manifest, fractions=(0.7, 0.2, 0.1))
    assert {part: len(files) for part, files in parts.items()} == {"train": 14, "dev": 4, "test": 2}
    assert sorted(sum(parts.values(), [])) == find_audio(flat)
    assert names_by_part(flat, tmp_path / "again" / "x.tsv", fractions=(0.7, 0.2, 0.1)) == parts
    assert names_by_part(flat, tmp_path / "other" / "x.tsv", fractions=(0.7, 0.2, 0.1), seed=1) != parts


def test_unseen_noise_is_all_for_testing(flat, manifest):
    assert [file.file for file in noise_files(flat, manifest, "test", (0, 0, 1))] == find_audio(flat)
    with pytest.raises(MeritError, match=r"no noise for the train part \(train 0, dev 0, test 20\)"):
        noise_files(flat, manifest, "train", (0, 0, 1))


def test_small_corpus_leaves_no_part_empty(tmp_path, manifest):
    folder = make_corpus(tmp_path / "noise", ["a.wav", "b.wav", "c.wav"])
    assert {part: len(files) for part, files in names_by_part(folder, manifest).items()} == dict.fromkeys(PARTS, 1)
    folder = make_corpus(tmp_path / "tiny", ["a.wav", "b.wav"], seed=1)
    with pytest.raises(MeritError, match="tiny: 2 different files cannot be split into 3 parts"):
        noise_files(folder, manifest.with_name("tiny.tsv"), "train")


def test_copies_of_a_file_stay_in_one_part(flat, manifest):
    for number in range(10):
        (flat / "wind" / f"copy-{number}.wav").write_bytes((flat / "rain" / f"{number}.wav").read_bytes())
    part_of = {file: part for part, files in names_by_part(flat, manifest).items() for file in files}
    assert all(part_of[f"wind/copy-{number}.wav"] == part_of[f"rain/{number}.wav"] for number in range(10))


def test_the_manifest_decides_once_it_is_there(flat, manifest, caplog):
    parts = names_by_part(flat, manifest)
    assert names_by_part(flat, manifest, fractions=(0.1, 0.1, 0.8), seed=5) == parts
    moved = parts["train"][0]
    manifest.write_text(manifest.read_text().replace(f"train\t{moved}", f"dev\t{moved}"))
    assert moved in names_by_part(flat, manifest)["dev"]
    make_corpus(flat, ["new.wav"], seed=1)
    assert "new.wav" not in sum(names_by_part(flat, manifest).values(), [])
    assert "1 files are not in" in caplog.text


def test_a_corpus_that_is_no_longer_what_was_split_is_refused(flat, manifest):
    noise_files(flat, manifest, "train")
    (flat / "rain" / "3.wav").unlink()
    with (flat / "wind" / "4.wav").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(MeritError) as error:
        noise_files(flat, manifest, "train")
    assert "rain/3.wav: missing" in str(error.value) and "wind/4.wav: the size changed" in str(error.value)


@pytest.mark.parametrize("line", ["train\ta.wav", "eval\ta\t1\tx"])
def test_unreadable_manifest_names_the_line(flat, manifest, line):
    manifest.parent.mkdir(parents=True)
    manifest.write_text(f"part\tfile\tbytes\tcontent\n{line}\n")
    with pytest.raises(MeritError, match="hum.tsv:2: expected"):
        noise_files(flat, manifest, "train")


def test_empty_corpus_is_refused(tmp_path, manifest):
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "README").write_text("get the audio elsewhere")
    for folder in (tmp_path / "noise", tmp_path / "nowhere"):
        with pytest.raises(MeritError, match=f"{folder}: a noise corpus needs audio files"):
            noise_files(folder, manifest, "train")


def test_the_same_content_in_two_parts_is_a_leak(tmp_path, manifest):
    folder = make_corpus(tmp_path / "noise", ["train/a.wav", "train/b.wav", "dev/c.wav", "test/d.wav"])
    (folder / "test" / "other-name.wav").write_bytes((folder / "train" / "b.wav").read_bytes())
    with pytest.raises(MeritError) as error:
        noise_files(folder, manifest, "train")
    assert "hum: test/other-name.wav (test) = hum: train/b.wav (train)" in str(error.value)
    assert "a.wav" not in str(error.value) and not manifest.exists()


def test_the_same_file_in_two_parts_of_a_manifest_is_a_leak(flat, manifest):
    noise_files(flat, manifest, "train")
    rows = manifest.read_text().splitlines()
    twice = next(row for row in rows if row.startswith("train")).replace("train", "test", 1)
    manifest.write_text("\n".join([*rows, twice]) + "\n")
    with pytest.raises(MeritError, match="leaks between parts"):
        noise_files(flat, manifest, "train")


def test_noise_of_training_in_an_unseen_corpus_is_a_leak(tmp_path, flat, manifest):
    noise_files(flat, manifest, "train")
    heard = noise_files(flat, manifest, "train")[0].file
    unseen = make_corpus(tmp_path / "unseen", ["a.wav", "b.wav"], seed=1)
    noise_files(unseen, manifest.with_name("unseen.tsv"), "test", (0, 0, 1))
    manifest.with_name("unseen.tsv").unlink()
    (unseen / "renamed.wav").write_bytes((flat / heard).read_bytes())
    with pytest.raises(MeritError) as error:
        noise_files(unseen, manifest.with_name("unseen.tsv"), "test", (0, 0, 1))
    assert "unseen: renamed.wav (test)" in str(error.value) and f"hum: {heard} (train)" in str(error.value)


def make_prepared(folder, recordings, seed=0):
    """``recordings``: file -> the recordings it was made of."""
    make_corpus(folder, recordings, seed)
    rows = [
        (Path(file).parts[0], file, (folder / file).stat().st_size, f"hash-{seed}-{file}", made, f"/corpus/{file}")
        for file, made in recordings.items()
    ]
    lines = ["\t".join(map(str, row)) for row in [("part", "file", "bytes", "content", "recordings", "source"), *rows]]
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_prepared_corpus_brings_its_manifest(tmp_path, manifest, caplog):
    folder = make_prepared(tmp_path / "noise", {"train/a.wav": "x:1", "dev/b.wav": "x:2", "test/c.wav": "x:3 x:4"})
    make_corpus(folder, ["test/unlisted.wav"], seed=1)
    assert names_by_part(folder, manifest) == {"train": ["train/a.wav"], "dev": ["dev/b.wav"], "test": ["test/c.wav"]}
    assert manifest.read_text() == (folder / "manifest.tsv").read_text()
    assert (
        read_manifest(manifest)[2].recordings == "x:3 x:4" and read_manifest(manifest)[2].source == "/corpus/test/c.wav"
    )
    assert "1 files are not in" in caplog.text
    (folder / "train" / "a.wav").unlink()
    (folder / "train" / "a.wav").symlink_to(tmp_path / "gone.wav")
    with (folder / "test" / "c.wav").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(MeritError) as error:
        noise_files(folder, manifest, "test")
    assert "or prepare the corpus again" in str(error.value)
    assert "train/a.wav: missing" in str(error.value) and "test/c.wav: the size changed" in str(error.value)


def test_pieces_of_one_recording_in_two_parts_are_a_leak(tmp_path, manifest):
    folder = make_prepared(tmp_path / "noise", {"train/a.wav": "x:1 x:2", "train/b.wav": "x:2", "test/c.wav": "x:2"})
    with pytest.raises(MeritError, match=r"recording x:2: hum: train/a.wav \(train\) = hum: test/c.wav \(test\)"):
        noise_files(folder, manifest, "train")
    assert not manifest.exists()


def test_a_recording_in_parts_of_two_corpora_is_a_leak(tmp_path, manifest):
    seen = make_prepared(tmp_path / "seen", {"train/a.wav": "freesound:1", "test/b.wav": "freesound:2"})
    unseen = make_prepared(tmp_path / "unseen", {"test/c.wav": "freesound:2", "test/d.wav": "freesound:1"}, seed=1)
    noise_files(seen, manifest, "train")
    with pytest.raises(MeritError) as error:
        noise_files(unseen, manifest.with_name("unseen.tsv"), "test")
    assert "recording freesound:1: unseen: test/d.wav (test) = hum: train/a.wav (train)" in str(error.value)
    assert "--without" in str(error.value) and "freesound:2" not in str(error.value)


def test_a_damaged_line_of_a_prepared_manifest_is_named(tmp_path, manifest):
    folder = make_prepared(tmp_path / "noise", {"train/a.wav": "x:1"})
    with (folder / "manifest.tsv").open("a") as lines:
        lines.write("train\ttrain/b.wav\t12\tcontent\n")
    with pytest.raises(MeritError, match="manifest.tsv:3: expected a line of .*recordings.*source"):
        noise_files(folder, manifest, "train")


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.5, 0.4, 0.2), (1.5, -0.5, 0)])
def test_fractions_add_up(flat, manifest, fractions):
    with pytest.raises(MeritError, match="expected three fractions"):
        noise_files(flat, manifest, "train", fractions)


def test_name_and_folder_of_a_corpus():
    name, folder = named_corpus("DNS-5.1=/corpora/a=b")
    assert (name, str(folder)) == ("DNS-5.1", "/corpora/a=b")
    for option in ("babble", "=path", "babble=", "two_words=path", "a/b=path"):
        with pytest.raises(MeritError, match="expected name=folder"):
            named_corpus(option)
