"""Whole data directories in noise: what they hold, going on, and what is refused."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_audio import write
from scipy.signal import fftconvolve

from merit.data.datadir import problems_in, read_table, write_data_directory
from merit.data.noise.babble import made_of, make_babble
from merit.data.noise.mixed_directory import mix_data_directory
from merit.data.noise.mixing import draw_noise, noise_piece
from merit.data.noise.recordings import noise_files
from merit.data.noise.reverberation import response_files
from merit.errors import MeritError

SNRS = (-5, 10)


def mix(root, audio="audio", data="test", output="data", **options):
    files = noise_files(root / "hum", root / output / "noise" / "hum.tsv", "test", (0, 0, 1))
    options = {"snrs": SNRS, **options}
    return mix_data_directory(
        root / "data" / data, "hum", root / "hum", files, output=root / output, audio=root / audio, **options
    )


def power_ratio(numerator, denominator):
    return 10 * np.log10(np.sum(numerator.astype(np.float64) ** 2) / np.sum(denominator.astype(np.float64) ** 2))


def test_mixed_directories_hold_what_was_asked_for(recipe):
    directories = mix(recipe)
    assert [path.name for path in directories] == ["test_hum_-5dB", "test_hum_10dB"]
    offsets = []
    for snr, directory in zip(SNRS, directories):
        assert problems_in(directory, classes=["anger", "joy"], audio=True) == []
        tables = {file.name: read_table(file) for file in directory.iterdir() if file.name != "spk2utt"}
        for copied in ("utt2spk", "utt2emo", "utt2gender"):
            assert tables[copied] == read_table(recipe / "data" / "test" / copied)
        assert set(tables["utt2snr"].values()) == {str(snr)}
        for key in tables["wav.scp"]:
            scps = ("wav.scp", "spk1.scp", "noise1.scp")
            noisy, clean, noise = (soundfile.read(tables[name][key])[0] for name in scps)
            assert power_ratio(clean, noise) == pytest.approx(snr, abs=0.01)
            assert power_ratio(clean, noisy - clean) == pytest.approx(float(tables["utt2snr_measured"][key]), abs=1e-3)
            assert float(tables["utt2dur"][key]) * 16000 == len(noisy) == len(clean) == len(noise)
            assert np.abs(noisy).max() < 1 or float(tables["utt2gain"][key]) < 1
            file, offset = tables["utt2noise"][key].rsplit(" ", 1)
            recording = soundfile.read(file)[0]
            piece = np.tile(recording, 10)[int(offset) : int(offset) + len(noise)]
            assert np.corrcoef(piece, noise)[0, 1] > 0.9999
        assert tables["utt2gain"]["a-2"] == "1"
        np.testing.assert_array_equal(  # not scaled, not resampled: the very samples
            soundfile.read(tables["spk1.scp"]["a-2"], dtype="int16")[0],
            soundfile.read(recipe / "corpus" / "a-2.flac", dtype="int16")[0],
        )
        offsets.append(tables["utt2noise"])
    assert offsets[0] == offsets[1]
    assert float(read_table(directories[0] / "utt2gain")["b-2"]) < 1


def test_any_number_of_processes_writes_the_same_bytes(recipe):
    mix(recipe, audio="one", output="one-data", snrs=[-5])
    mix(recipe, audio="two", output="two-data", snrs=[-5], nj=2)
    written = sorted(path.relative_to(recipe / "one") for path in (recipe / "one").rglob("*.flac"))
    assert len(written) == 12
    for path in written:
        assert (recipe / "one" / path).read_bytes() == (recipe / "two" / path).read_bytes()
    one, two = (recipe / f"{name}-data" / "test_hum_-5dB" for name in ("one", "two"))
    for table in ("utt2noise", "utt2gain", "utt2snr_measured", "utt2dur"):
        assert (one / table).read_bytes() == (two / table).read_bytes()


def mix_with_own_babble(root, files):
    """Mix the test set, at two SNRs, with babble of its own files, one in each, and return utt2noise."""
    wav = {f"{name}-said": entry for name, entry in read_table(root / "data/test/wav.scp").items()}
    if not (root / "data/talkers").exists():
        write_data_directory(root / "data/talkers", wav, {name: name[0] for name in wav})
    make_babble(root / "data/talkers", root / "babble", files=(0, 0, files), talkers=1, seconds=0.1)
    noise = noise_files(root / "babble", root / "data/noise/babble.tsv", "test")
    options = {"output": root / "data", "audio": root / "audio", "snrs": SNRS}
    mixed = mix_data_directory(root / "data/test", "babble", root / "babble", noise, **options)
    drawn = [
        {name: tuple(noise.rsplit(" ", 1)) for name, noise in read_table(path / "utt2noise").items()} for path in mixed
    ]
    assert drawn[0] == drawn[1]
    return drawn[0]


def test_babble_never_holds_the_utterance_that_it_is_mixed_with(recipe):
    drawn = mix_with_own_babble(recipe, files=8)
    spoken, wav = made_of(recipe / "babble"), read_table(recipe / "data/test/wav.scp")
    files = [str(recipe / "babble" / file) for file in spoken]
    redrawn = []
    for name, (file, offset) in drawn.items():
        assert wav[name] not in spoken[Path(file).relative_to(recipe / "babble").as_posix()]
        first, place = draw_noise(name, "babble", files, 0)[0]
        if wav[name] in spoken[Path(first).relative_to(recipe / "babble").as_posix()]:
            redrawn.append(name)
        else:  # as if the babble were of strangers
            length = round(float(read_table(recipe / "data/test_babble_10dB/utt2dur")[name]) * 16000)
            assert (file, int(offset)) == (first, noise_piece(soundfile.read(first)[0], place, length)[1])
    assert 0 < len(redrawn) < len(drawn)


def test_mixtures_with_the_utterance_itself_are_mixed_again(recipe, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("merit.data.noise.mixed_directory.made_of", lambda corpus: {})
        before = mix_with_own_babble(recipe, files=8)
    after, written = mix_with_own_babble(recipe, files=8), times(recipe)
    changed = {name for name in after if after[name] != before[name]}
    assert 0 < len(changed) < len(after)
    assert mix_with_own_babble(recipe, files=8) == after and times(recipe) == written


def test_an_utterance_in_all_babble_is_refused(recipe):
    with pytest.raises(MeritError, match="nothing is mixed.*\n.*: all noise files hold this utterance.*--babble-data"):
        mix_with_own_babble(recipe, files=1)
    assert not (recipe / "audio").exists()


def times(root):
    return {path: path.stat().st_mtime_ns for path in root.rglob("*.flac") if "audio" in path.parts}


def test_a_complete_directory_is_left_alone(recipe, caplog):
    directories = mix(recipe)
    before, scp = times(recipe), (directories[0] / "wav.scp").stat().st_mtime_ns
    with caplog.at_level(logging.INFO):
        mix(recipe)
    assert times(recipe) == before and (directories[0] / "wav.scp").stat().st_mtime_ns == scp
    assert "test_hum_-5dB: complete" in caplog.text


def test_an_interrupted_run_goes_on(recipe):
    expected = {path.name: (path / "utt2snr_measured").read_text() for path in mix(recipe)}
    (recipe / "data" / "test_hum_-5dB" / "wav.scp").unlink()
    record = recipe / "audio" / "test_hum_-5dB" / "mixing.jsonl"
    record.write_text(record.read_text()[:-30])  # killed while writing the last line
    (recipe / "audio" / "test_hum_10dB" / "clean" / "a-2.flac").unlink()
    before = times(recipe)
    directories = mix(recipe)
    unfinished = json.loads(record.read_text().splitlines()[-1])["utterance"]
    written = [path for path, time in times(recipe).items() if before.get(path) != time]
    assert {path.relative_to(recipe / "audio").as_posix() for path in written} == {
        *(f"test_hum_-5dB/{signal}/{unfinished}.flac" for signal in ("noisy", "clean", "noise")),
        *(f"test_hum_10dB/{signal}/a-2.flac" for signal in ("noisy", "clean", "noise")),
    }
    assert {path.name: (path / "utt2snr_measured").read_text() for path in directories} == expected
    assert all(problems_in(directory, audio=True) == [] for directory in directories)


def test_other_settings_and_other_speech_are_mixed_again(recipe, caplog):
    (directory,) = mix(recipe, snrs=[0])
    noise, before = read_table(directory / "utt2noise"), times(recipe)
    with caplog.at_level(logging.INFO):
        mix(recipe, snrs=[0], seed=1)
    assert "made with other noise or settings" in caplog.text
    assert read_table(directory / "utt2noise") != noise
    assert all(before[path] != time for path, time in times(recipe).items())
    before = times(recipe)
    write(recipe / "corpus" / "a-2.flac", np.full(4000, 0.1))
    mix(recipe, snrs=[0], seed=1)
    assert {path.stem for path, time in times(recipe).items() if before[path] != time} == {"a-2"}
    assert read_table(directory / "utt2dur")["a-2"] == "0.25"


def test_minus_zero_is_zero(recipe):
    assert [path.name for path in mix(recipe, snrs=[-0.0, 2.5])] == ["test_hum_0dB", "test_hum_2.5dB"]


def test_everything_that_headers_show_is_listed_before_mixing(recipe):
    write(recipe / "corpus" / "a-1.wav", np.full(399, 0.1))
    truncated = recipe / "corpus" / "b-1.wav"
    truncated.write_bytes(truncated.read_bytes()[:-100])
    with pytest.raises(MeritError) as error:
        mix(recipe)
    assert "nothing is mixed" in str(error.value)
    assert "a-1: " in str(error.value) and "399 samples at 16 kHz" in str(error.value)
    assert "b-1: " in str(error.value) and "truncated, 100 bytes are missing" in str(error.value)
    assert times(recipe) == {}


def test_what_cannot_be_mixed_is_listed_and_the_rest_kept(recipe):
    write(recipe / "corpus" / "a-1.wav", np.zeros(4000))
    write(recipe / "corpus" / "b-1.wav", np.array([0.1, np.nan] * 1000))
    truncated = recipe / "corpus" / "b-2.flac"
    truncated.write_bytes(truncated.read_bytes()[:-2000])
    with pytest.raises(MeritError) as error:
        mix(recipe)
    lines = str(error.value).splitlines()
    assert "3 problems, all else is mixed and kept" in lines[0]
    assert [any(part in line for line in lines) for part in ("a-1: ", "b-1: ", "b-2: ")] == [True] * 3
    assert not (recipe / "data" / "test_hum_-5dB").exists()
    before = times(recipe)
    assert {path.stem for path in before} == {"a-2"}
    kept = {name: read_table(recipe / "data" / "test" / name) for name in ("wav.scp", "utt2spk", "utt2emo")}
    only = {name: {"a-2": table["a-2"]} for name, table in kept.items()}
    for file in (recipe / "data" / "test").iterdir():
        file.unlink()
    write_data_directory(recipe / "data" / "test", only["wav.scp"], only["utt2spk"], only["utt2emo"])
    assert all(problems_in(directory) == [] for directory in mix(recipe))
    assert times(recipe) == before


def test_silent_and_unreadable_noise_is_named(recipe):
    for number in range(4):
        write(recipe / "hum" / f"{number}.wav", np.zeros(1000 + number))
    with pytest.raises(MeritError, match="pieces of noise were silent"):
        mix(recipe)
    (recipe / "data" / "noise" / "hum.tsv").unlink()
    for number in range(4):
        (recipe / "hum" / f"{number}.wav").write_bytes(b"RIFF" + bytes([number]))
    with pytest.raises(MeritError, match="noise: .*hum/.*cannot be decoded"):
        mix(recipe)


def make_rooms(recipe):
    generator = np.random.default_rng(1)
    for number in range(10):
        response = np.concatenate([np.zeros(30), [0.5], np.zeros(50), 0.02 * generator.standard_normal(500)])
        write(recipe / "rirs" / f"{number}.wav", response)
    return response_files(recipe / "rirs", recipe / "data" / "rir" / "rirs.tsv", "train")


def test_speech_in_rooms(recipe):
    directories = mix(recipe, rooms=make_rooms(recipe))
    rooms = [read_table(directory / "utt2rir") for directory in directories]
    assert rooms[0] == rooms[1] and len(set(rooms[0].values())) > 1
    for snr, directory in zip(SNRS, directories):
        assert problems_in(directory, audio=True) == []
        tables = {name: read_table(directory / name) for name in ("wav.scp", "spk1.scp", "noise1.scp", "utt2gain")}
        for key, room in rooms[0].items():
            noisy, clean, noise = (
                soundfile.read(tables[name][key])[0] for name in ("wav.scp", "spk1.scp", "noise1.scp")
            )
            response = soundfile.read(room)[0]
            expected = fftconvolve(clean, response / 0.5)[30 : 30 + len(clean)]
            np.testing.assert_allclose(noisy - noise, expected, atol=4 * 2**-15)
            assert power_ratio(expected, noise) == pytest.approx(snr, abs=0.05)
        dry = soundfile.read(recipe / "corpus" / "a-2.flac")[0]  # the reference: only scaled
        gain = float(tables["utt2gain"]["a-2"])
        np.testing.assert_allclose(soundfile.read(tables["spk1.scp"]["a-2"])[0], gain * dry, atol=2**-15)


def test_rooms_are_mixed_again_when_they_change_or_go(recipe, caplog):
    rooms = make_rooms(recipe)
    (directory,) = mix(recipe, snrs=[5], rooms=rooms)
    before = times(recipe)
    mix(recipe, snrs=[5], rooms=rooms)
    assert times(recipe) == before
    mix(recipe, snrs=[5], rooms=rooms[:3])
    assert all(before[path] != time for path, time in times(recipe).items())
    assert set(read_table(directory / "utt2rir").values()) <= {file.file for file in rooms[:3]}
    mix(recipe, snrs=[5])
    assert not (directory / "utt2rir").exists() and problems_in(directory) == []
    record = (recipe / "audio" / "test_hum_5dB" / "mixing.jsonl").read_text()
    assert "rir" not in record and "utt2rir" not in {file.name for file in directory.iterdir()}


def test_a_bad_impulse_response_is_listed(recipe):
    rooms = make_rooms(recipe)
    for room in rooms:
        write(Path(room.file), np.zeros(100))
    with pytest.raises(MeritError, match="impulse response: .*: silent"):
        mix(recipe, rooms=rooms)


def test_an_invalid_data_directory_is_not_mixed(recipe):
    scp = recipe / "data" / "test" / "wav.scp"
    scp.write_text("".join(reversed(scp.read_text().splitlines(keepends=True))))
    (recipe / "corpus" / "a-2.flac").unlink()
    with pytest.raises(MeritError) as error:
        mix(recipe)
    assert "wav.scp:2: not sorted, b-1 after b-2" in str(error.value)
    assert "wav.scp: the file is missing: a-2" in str(error.value)


@pytest.mark.parametrize(("snrs", "nj", "reason"), [([], 1, "no SNR is given"), (SNRS, 0, "--nj 0")])
def test_nothing_to_do_and_nobody_to_do_it_are_refused(recipe, snrs, nj, reason):
    with pytest.raises(MeritError, match=reason):
        mix(recipe, snrs=snrs, nj=nj)


def test_halves_that_a_killed_process_left_are_removed(recipe):
    half = recipe / "audio" / "test_hum_-5dB" / "noisy" / ".a-1.1234.tmp.flac"
    half.parent.mkdir(parents=True)
    half.touch()
    mix(recipe)
    assert not half.exists()
