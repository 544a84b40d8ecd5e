import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from merit.data.audio import entry_stamp, stamped_entry
from merit.data.datadir import read_table, write_data_directory
from merit.data.noise.babble import made_of, make_babble
from merit.data.noise.recordings import noise_files
from merit.errors import MeritError

RATE = 16000


@pytest.fixture
def talkers(tmp_path):
    """Each utterance is a tone of its own frequency (Hz), which shows who talks; levels differ by 20 dB."""
    wav, frequencies = {}, {}
    for speaker in range(4):
        for number in range(6):
            name = f"s{speaker}-{number}"
            frequencies[name] = 200 + 100 * (6 * speaker + number)
            wav[name] = str(tmp_path / f"{name}.wav")
            tone = np.sin(2 * np.pi * frequencies[name] * np.arange(RATE) / RATE)
            soundfile.write(wav[name], (0.05 if number % 2 else 0.5) * tone, RATE, subtype="FLOAT")
    write_data_directory(tmp_path / "data", wav, {name: name[:2] for name in wav})
    return tmp_path / "data", frequencies


def manifest_rows(output):
    header, *lines = (output / "manifest.tsv").read_text().splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"))) for line in lines]


def test_parts_use_different_utterances(talkers, tmp_path):
    data, frequencies = talkers
    make_babble(data, tmp_path / "babble", files=(6, 3, 3), talkers=3, seconds=2.0)
    used = {part: set() for part in ("train", "dev", "test")}
    for row in manifest_rows(tmp_path / "babble"):
        used[row["file"].split("/")[0]] |= set(row["utterances"].split())
    assert used["train"].isdisjoint(used["dev"] | used["test"]) and used["dev"].isdisjoint(used["test"])
    assert all(used.values()) and set.union(*used.values()) <= set(frequencies)
    for part, count in (("train", 6), ("dev", 3), ("test", 3)):
        assert len(noise_files(tmp_path / "babble", tmp_path / "noise" / "babble.tsv", part)) == count


def test_what_each_file_is_made_of(talkers, tmp_path):
    data, _ = talkers
    make_babble(data, tmp_path / "babble", files=(2, 1, 0), talkers=3, seconds=2.0)
    wav, expected = read_table(data / "wav.scp"), {}
    for row in manifest_rows(tmp_path / "babble"):
        expected.setdefault(row["file"], set()).update(wav[name] for name in row["utterances"].split())
    os.utime(wav["s0-0"])  # the same file for all that
    assert made_of(tmp_path / "babble") == expected and len(expected) == 3
    assert made_of(data) == {}  # no babble
    (tmp_path / "manifest.tsv").write_text("file\tlicence\na.wav\tCC0\n")
    assert made_of(tmp_path) == {}  # a noise corpus with a list of its own
    (tmp_path / "babble/settings.json").write_text('{"speech": 1}')
    with pytest.raises(MeritError, match="babble: .*remove it, and make the babble again"):
        made_of(tmp_path / "babble")


def test_stamps_tell_their_entries(tmp_path):
    file = tmp_path / "a 1.wav"
    file.write_bytes(b"audio")
    for entry in (str(file), f"{file}:3", f"sox '{file}' -t wav - |"):
        assert stamped_entry(entry_stamp(entry)) == entry


def test_talkers_are_different_speakers_at_equal_power(talkers, tmp_path):
    data, frequencies = talkers
    make_babble(data, tmp_path / "babble", files=(4, 0, 0), talkers=3, seconds=4.0)
    rows = manifest_rows(tmp_path / "babble")
    for name in {row["file"] for row in rows}:
        samples, rate = soundfile.read(tmp_path / "babble" / name)
        assert (rate, len(samples)) == (RATE, 4 * RATE) and 0.85 < np.abs(samples).max() <= 0.9001
        power = np.abs(np.fft.rfft(samples)) ** 2
        powers = []
        voices = [row for row in rows if row["file"] == name]
        assert len({row["speaker"] for row in voices}) == len(voices) == 3
        for row in voices:
            assert {utterance[:2] for utterance in row["utterances"].split()} == {row["speaker"]}
            bands = [4 * frequencies[utterance] for utterance in row["utterances"].split()]
            powers.append(sum(power[band - 100 : band + 100].sum() for band in bands))
        np.testing.assert_allclose(10 * np.log10(np.array(powers) / np.mean(powers)), 0, atol=0.2)
        assert sum(powers) > 0.99 * power.sum()  # nobody else talks


def test_too_few_speakers_talk_with_different_utterances(talkers, tmp_path):
    data, _ = talkers
    make_babble(data, tmp_path / "babble", files=(2, 0, 0), talkers=6, seconds=1.5)
    rows = manifest_rows(tmp_path / "babble")
    for name in {row["file"] for row in rows}:
        spoken = [utterance for row in rows if row["file"] == name for utterance in row["utterances"].split()]
        assert len([row for row in rows if row["file"] == name]) == 6 and len(spoken) == len(set(spoken))


def test_babble_is_the_same_every_time_and_made_once(talkers, tmp_path):
    data, _ = talkers
    for output in ("one", "two"):
        make_babble(data, tmp_path / output, files=(2, 1, 1), talkers=2, seconds=1.0, seed=3)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.flac"))
    assert len(files) == 4
    assert all((tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes() for path in files)
    before = {path: (tmp_path / "one" / path).stat().st_mtime_ns for path in files}
    make_babble(data, tmp_path / "one", files=(2, 1, 1), talkers=2, seconds=1.0, seed=3)
    assert before == {path: (tmp_path / "one" / path).stat().st_mtime_ns for path in files}
    make_babble(data, tmp_path / "one", files=(1, 1, 1), talkers=2, seconds=1.0, seed=4)
    again = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.flac"))
    assert len(again) == 3  # those of the first settings are gone
    assert (tmp_path / "one" / again[0]).read_bytes() != (tmp_path / "two" / again[0]).read_bytes()


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"files": (1, 1)}, "number of files in train, dev and test"),
        ({"files": (0, 0, 0)}, "number of files"),
        ({"files": (1, 1, 1), "talkers": 0}, "talkers 0"),
        ({"files": (1, 0, 0), "talkers": 25}, "24 utterances for train babble, too few for 25 talkers; .*--noise-seen"),
    ],
)
def test_impossible_babble_is_refused(talkers, tmp_path, options, expected):
    with pytest.raises(MeritError, match=expected):
        make_babble(talkers[0], tmp_path / "babble", **options)
    assert not (tmp_path / "babble" / "manifest.tsv").exists()


def test_bad_speech_is_named(talkers, tmp_path):
    data, _ = talkers
    for name in ("s0", "s1", "s2", "s3"):
        for number in range(6):
            soundfile.write(tmp_path / f"{name}-{number}.wav", np.zeros(1000), RATE)
    with pytest.raises(MeritError, match=r"s\d-\d: .*silent"):
        make_babble(data, tmp_path / "babble", files=(1, 0, 0))
    (data / "utt2spk").unlink()
    with pytest.raises(MeritError, match="utt2spk: the file is missing"):
        make_babble(data, tmp_path / "babble", files=(1, 0, 0))


def test_babble_is_the_same_in_every_process(talkers, tmp_path):
    """Strings hash differently in every process, and with them the order of sets differs."""
    manifests = []
    for hash_seed in ("1", "2", "3"):
        output = tmp_path / f"babble{hash_seed}"
        command = [sys.executable, "-m", "merit.bin.make_babble", "--data", str(talkers[0]), "--output", str(output)]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run([*command, "--files", "[6,3,3]", "--talkers", "3"], env=environment, check=True)
        manifests.append((output / "manifest.tsv").read_text())
    assert manifests[0] == manifests[1] == manifests[2]
