"""Published noise corpora, each as a small folder of its layout."""

import logging
import shutil
from collections import defaultdict

import numpy as np
import pytest
import soundfile

from merit.data.noise import preparation as noise_preparation
from merit.data.noise.corpora import LAYOUTS
from merit.data.noise.preparation import prepare_noise
from merit.data.noise.recordings import PARTS, noise_files, read_manifest
from merit.errors import MeritError


def make_corpus(folder, names, seed=0, samples=400):
    """Files of different random content."""
    generator = np.random.default_rng(seed)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, 0.1 * generator.standard_normal(samples), 16000)
    return folder


def table(path):
    header, *lines = path.read_text().splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"))) for line in lines]


def prepared(output):
    """Check what is true of every prepared corpus, and return its files by part and its recordings by file."""
    parts, recordings, part_of = defaultdict(list), {}, {}
    for row in table(output / "manifest.tsv"):
        part, name = row["file"].split("/", 1)
        link = output / row["file"]
        assert link.is_symlink() and str(link.resolve()) == row["source"] and row["source"].endswith(f"/{name}")
        assert part == row["part"] and int(row["bytes"]) == link.stat().st_size
        for recording in row["recordings"].split():
            assert part_of.setdefault(recording, part) == part
        parts[part].append(name)
        recordings[name] = row["recordings"]
    for part, names in parts.items():
        found = noise_files(output, output.parent / "data" / "noise" / "x.tsv", part)
        assert sorted(file.file for file in found) == sorted(f"{part}/{name}" for name in names)
    return {part: sorted(names) for part, names in parts.items()}, recordings


def removed(output):
    return {row["file"]: row["why"] for row in table(output / "removed.tsv")}


# Each corpus ---------------------------------------------------------------------------------------------------------


def test_musan_is_its_noise(tmp_path, caplog):
    noise = [f"noise/free-sound/noise-free-sound-{number:04d}.wav" for number in range(9)]
    noise.append("noise/sound-bible/noise-sound-bible-0000.wav")
    others = ["music/fma/music-fma-0000.wav", "speech/us-gov/speech-us-gov-0000.wav", "extra.wav"]
    musan = make_corpus(tmp_path / "musan", [*noise, *others])
    prepare_noise("musan", musan, tmp_path / "out")
    parts, recordings = prepared(tmp_path / "out")
    assert {part: len(files) for part, files in parts.items()} == {"train": 8, "dev": 1, "test": 1}
    assert sorted(sum(parts.values(), [])) == sorted(noise)
    assert recordings[noise[0]] == "musan:noise-free-sound-0000"
    assert removed(tmp_path / "out") == {
        "extra.wav": "not named as in MUSAN",
        "music/fma/music-fma-0000.wav": "music is not among the subsets",
        "speech/us-gov/speech-us-gov-0000.wav": "speech is not among the subsets",
    }
    assert "noise-free-sound: 9 files, expected 843; not there: noise-free-sound-0009 " in caplog.text
    assert "music: 1 files, expected 660" in caplog.text
    prepare_noise("musan", musan, tmp_path / "music", ["music", "speech"], (0, 0, 1))
    assert prepared(tmp_path / "music")[0] == {"test": others[:2]}


def test_demand_is_one_recording_an_environment(tmp_path, caplog):
    channels = [f"ch{number:02d}.wav" for number in range(1, 17)]
    folders = ["DKITCHEN", "DLIVING_16k/DLIVING", "TBUS_16k"]
    demand = make_corpus(tmp_path / "demand", [f"{folder}/{name}" for folder in folders for name in channels])
    (demand / "TBUS_16k" / "ch07.wav").unlink()
    prepare_noise("demand", demand, tmp_path / "one")
    parts, recordings = prepared(tmp_path / "one")
    assert sorted(recordings) == sorted(f"{folder}/ch01.wav" for folder in folders)
    assert recordings["TBUS_16k/ch01.wav"] == "demand:TBUS" and set(parts) == set(PARTS)
    assert "TBUS: 15 files, expected 16; not there: ch07" in caplog.text
    assert "SCAFE (published at 48 kHz alone): 0 files, expected 16" in caplog.text and "DLIVING:" not in caplog.text
    prepare_noise("demand", demand, tmp_path / "all", LAYOUTS["demand"].subsets)
    parts, _ = prepared(tmp_path / "all")
    assert sorted(len(files) for files in parts.values()) == [15, 16, 16]


def test_demand_at_both_sample_rates_is_refused(tmp_path):
    demand = make_corpus(tmp_path / "demand", ["16k/TCAR/ch01.wav", "48k/TCAR/ch01.wav"])
    with pytest.raises(MeritError, match="16k/TCAR/ch01.wav and 48k/TCAR/ch01.wav are one channel of one recording"):
        prepare_noise("demand", demand, tmp_path / "out")


ESC50 = [
    f"audio/{fold}-{fold}00{group}-{take}-{group}0.wav" for fold in range(1, 6) for group in (1, 2, 4) for take in "AB"
]


def test_esc50_keeps_its_folds(tmp_path, caplog):
    esc50 = make_corpus(tmp_path / "esc50", ESC50)
    prepare_noise("esc50", esc50, tmp_path / "out")
    parts, recordings = prepared(tmp_path / "out")
    assert {part: {file[6] for file in files} for part, files in parts.items()} == {
        "train": {"1", "2", "3"},
        "dev": {"4"},
        "test": {"5"},
    }
    assert recordings["audio/1-1002-A-20.wav"] == recordings["audio/1-1002-B-20.wav"] == "freesound:1002"
    assert "fold 4: 6 files, expected 400" in caplog.text
    prepare_noise("esc50", esc50, tmp_path / "nature", ["nature", "urban"])
    assert {file.split("-")[-1] for file in prepared(tmp_path / "nature")[1]} == {"10.wav", "40.wav"}
    assert removed(tmp_path / "nature")["audio/1-1002-A-20.wav"] == "human is not among the subsets"


def test_esc50_with_a_clip_in_two_folds_is_refused_or_drawn(tmp_path):
    esc50 = make_corpus(tmp_path / "esc50", [*ESC50, "audio/5-1002-C-20.wav"])
    with pytest.raises(MeritError, match="freesound:1002: in test and train"):
        prepare_noise("esc50", esc50, tmp_path / "out")
    prepare_noise("esc50", esc50, tmp_path / "out", fractions=(0.5, 0.25, 0.25))
    parts, recordings = prepared(tmp_path / "out")  # which checks that the clip is in one part
    assert recordings["audio/5-1002-C-20.wav"] == "freesound:1002"
    assert len({recordings[file] for file in parts["train"]}) in (7, 8)  # of 15 clips


def make_wham(folder, files):
    """``files``: folder -> {name: File ID}."""
    make_corpus(folder, [f"wham_noise/{part}/{name}.wav" for part, names in files.items() for name in names])
    (folder / "wham_noise" / "metadata").mkdir()
    for part, names in files.items():
        rows = "".join(f"{name}.wav,2,{number},17.0\n" for name, number in names.items())
        metadata = folder / "wham_noise" / "metadata" / f"noise_meta_{part}.csv"
        metadata.write_text(f"utterance_id,Noise Band,File ID,L to R Width (cm)\n{rows}")
    return folder


def test_wham_keeps_its_split(tmp_path, caplog):
    wham = make_wham(tmp_path / "wham", {"tr": {"a": 1, "b": 1, "c": 2}, "cv": {"d": 3}, "tt": {"e": 4}})
    prepare_noise("wham", wham, tmp_path / "out")
    parts, recordings = prepared(tmp_path / "out")
    assert {part: [file[-5] for file in files] for part, files in parts.items()} == {
        "train": ["a", "b", "c"],
        "dev": ["d"],
        "test": ["e"],
    }
    assert recordings["wham_noise/tr/b.wav"] == "wham:1"
    assert "tr: 3 files, expected 20000" in caplog.text and "taken on trust" not in caplog.text


def test_wham_with_a_recording_in_two_parts_is_refused(tmp_path):
    wham = make_wham(tmp_path / "wham", {"tr": {"a": 1, "b": 2}, "cv": {"c": 3}, "tt": {"d": 1}})
    with pytest.raises(MeritError, match="wham:1: in test and train"):
        prepare_noise("wham", wham, tmp_path / "out")
    prepare_noise("wham", wham, tmp_path / "out", fractions=(0.4, 0.3, 0.3))
    assert len(prepared(tmp_path / "out")[1]) == 4


def test_wham_without_its_tables_is_taken_on_trust_but_not_drawn(tmp_path, caplog):
    wham = make_wham(tmp_path / "wham", {"tr": {"a": 1}, "cv": {"c": 2}, "tt": {"d": 3}})
    (wham / "wham_noise" / "metadata" / "noise_meta_tt.csv").write_text("utterance_id,Reverberation Level\nd,h\n")
    with pytest.raises(MeritError, match="noise_meta_tt.csv:1: no column File ID"):
        prepare_noise("wham", wham, tmp_path / "out")
    shutil.rmtree(wham / "wham_noise" / "metadata")
    prepare_noise("wham", wham, tmp_path / "out")
    assert set(prepared(tmp_path / "out")[1].values()) == {""}
    assert "3 files are not in metadata" in caplog.text
    with pytest.raises(MeritError, match="no recording is known of wham_noise/cv/c.wav"):
        prepare_noise("wham", wham, tmp_path / "out", fractions=(0.4, 0.3, 0.3))


def test_freesound_downloads_are_told_by_their_numbers(tmp_path, caplog):
    names = ["11__a__rain in park.wav", "12__b__fan.flac", "13_99-hq.ogg", "14.wav", "14_1.wav", "hall ambience.wav"]
    freesound = make_corpus(tmp_path / "freesound", names)
    prepare_noise("freesound", freesound, tmp_path / "out")
    parts, recordings = prepared(tmp_path / "out")
    numbers = [11, 12, 13, 14, 14, "hall_ambience"]
    assert recordings == {name: f"freesound:{number}" for name, number in zip(names, numbers)}
    assert set(parts) == set(PARTS)
    assert "1 files have no Freesound number" in caplog.text and "FSD50K" not in caplog.text


def test_fsd50k_keeps_its_split(tmp_path, caplog):
    names = [*(f"FSD50K.dev_audio/{number}.wav" for number in range(4)), "FSD50K.eval_audio/9.wav"]
    fsd50k = make_corpus(tmp_path / "fsd50k", names)
    labels = fsd50k / "FSD50K.ground_truth" / "dev.csv"
    labels.parent.mkdir()
    labels.write_text('fname,labels,mids,split\n0,"Rain,Wind",x,train\n1,Rain,x,val\n2,Bark,x,train\n')
    with pytest.raises(MeritError, match="a split that cannot be used(.|\n)*FSD50K.dev_audio/3.wav: not in it"):
        prepare_noise("freesound", fsd50k, tmp_path / "out")
    labels.write_text(labels.read_text() + "3,Rain,x,train\n")
    prepare_noise("freesound", fsd50k, tmp_path / "out")
    assert prepared(tmp_path / "out")[0] == {
        "train": [names[0], names[2], names[3]],
        "dev": [names[1]],
        "test": [names[4]],
    }
    assert "FSD50K.dev_audio: 4 files, expected 40966" in caplog.text


DNS = {
    "door_Freesound_validated_11_0.wav": "freesound:11",
    "door_Freesound_validated_11_1.wav": "freesound:11",
    "fan_Freesound_validated_500_3.wav": "freesound:500",
    "munching_Freesound_validated_B32_Chips_ebrahim_10.wav": "freesound:B32_Chips_ebrahim",
    "x8fp6MYE41s.wav": "youtube:x8fp6MYE41s",
    "-0BQdzcum73.wav": "youtube:-0BQdzcum73",
    "__5V2Njkf5M.wav": "youtube:__5V2Njkf5M",
    "DEMAND/TBUS/ch01.wav": "demand:TBUS",
    "typing_7.wav": "dns:typing_7",
}


def test_dns_names_tell_what_its_pieces_are_of(tmp_path):
    dns = make_corpus(tmp_path / "noise_fullband", DNS)
    prepare_noise("dns", dns, tmp_path / "out")
    parts, recordings = prepared(tmp_path / "out")
    assert recordings == DNS and set(parts) == set(PARTS)
    prepare_noise("dns", dns, tmp_path / "audioset", ["audioset"], (0, 0, 1))
    assert all(name.startswith("youtube:") for name in prepared(tmp_path / "audioset")[1].values())
    assert removed(tmp_path / "audioset")["fan_Freesound_validated_500_3.wav"] == "freesound is not among the subsets"


def test_dns_without_freesound_by_name_and_by_samples(tmp_path):
    dns = make_corpus(tmp_path / "noise_fullband", DNS)
    freesound = make_corpus(tmp_path / "freesound", ["11__a__door.wav", "12__b__sea.wav", "13__c__sea.wav"], seed=1)
    samples, rate = soundfile.read(dns / "x8fp6MYE41s.wav", dtype="int16")
    soundfile.write(freesound / "14__d__bought elsewhere.flac", samples, rate)  # the same samples in another format
    prepare_noise("freesound", freesound, tmp_path / "fs")
    prepare_noise("dns", dns, tmp_path / "out", without=[tmp_path / "fs"])
    _, recordings = prepared(tmp_path / "out")
    reasons = removed(tmp_path / "out")
    assert reasons.keys() == {*(name for name in DNS if "_11_" in name), "x8fp6MYE41s.wav"}
    assert recordings.keys() == DNS.keys() - reasons.keys()
    assert reasons["door_Freesound_validated_11_1.wav"] == f"freesound:11 is in {tmp_path}/fs"
    assert reasons["x8fp6MYE41s.wav"].startswith(f"the samples of {tmp_path}/fs/")
    # Now nothing leaks, whichever part of either is used; with the overlap left in, some of it would.
    for name in ("fs", "out"):
        noise_files(tmp_path / name, tmp_path / "recipe" / f"{name}.tsv", "test")


def test_room_responses_go_by_room(tmp_path, caplog):
    rooms = [f"{size}room/Room00{number}" for size in ("small", "large") for number in (1, 2)]
    simulated = [f"simulated_rirs/{room}/{room[-7:]}-0000{number}.wav" for room in rooms for number in (1, 2)]
    real = [
        f"real_rirs_isotropic_noises/RVB2014_type1_rir_{room}_{place}.wav"
        for room in ("hall", "bath")
        for place in ("near", "far")
    ]
    noises = [
        "real_rirs_isotropic_noises/RVB2014_type1_noise_hall_1.wav",
        "pointsource_noises/noise-free-sound-0000.wav",
    ]
    rirs = make_corpus(tmp_path / "RIRS_NOISES", [*simulated, *real, *noises])
    lines = (f"--rir-id {n} --room-id RVB_{name.split('_')[-2]} RIRS_NOISES/{name}\n" for n, name in enumerate(real))
    (rirs / "real_rirs_isotropic_noises" / "rir_list").write_text("".join(lines))
    (rirs / "simulated_rirs" / "smallroom" / "rir_list").write_text("--rir-id a --room-id b c.wav\n")
    prepare_noise("rirs", rirs, tmp_path / "out")
    _, recordings = prepared(tmp_path / "out")
    assert recordings.keys() == {*simulated, *real}
    assert recordings[simulated[0]] == "rirs:smallroom-Room001" and recordings[real[0]] == "rirs:RVB_hall"
    assert len(set(recordings.values())) == 6
    assert removed(tmp_path / "out").keys() == set(noises)
    assert "simulated_rirs: 8 files, expected 60000" in caplog.text


# All of them ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("corpus", LAYOUTS)
def test_a_missing_corpus_says_what_is_expected(corpus, tmp_path):
    for source in ("nowhere", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(MeritError, match=f"{source}: no audio files; give the folder that .*http"):
            prepare_noise(corpus, tmp_path / source, tmp_path / "out")
    other = make_corpus(tmp_path / "other", ["a/some_speech.wav"])
    if corpus not in ("freesound", "dns"):  # which have any name
        with pytest.raises(MeritError, match="no .* among 1 audio files; expected files such as .*wav"):
            prepare_noise(corpus, other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("corpus", LAYOUTS)
def test_unknown_subsets_are_refused(corpus, tmp_path):
    with pytest.raises(MeritError, match=f"--subsets birds: {LAYOUTS[corpus].title} has {LAYOUTS[corpus].subsets[0]}"):
        prepare_noise(corpus, tmp_path, tmp_path / "out", [LAYOUTS[corpus].subsets[0], "birds"])


def test_damaged_files_are_all_listed(tmp_path):
    musan = make_corpus(tmp_path / "musan", [f"noise-free-sound-{number:04d}.wav" for number in range(5)])
    truncated, empty, no_audio = (musan / f"noise-free-sound-000{number}.wav" for number in range(3))
    truncated.write_bytes(truncated.read_bytes()[:-100])
    empty.write_bytes(b"")
    no_audio.write_bytes(b"<html>quota exceeded</html>")
    soundfile.write(musan / "noise-free-sound-0003.wav", np.zeros(0), 16000)
    (musan / "noise-free-sound-0006.wav").symlink_to(tmp_path / "gone.wav")
    with pytest.raises(MeritError) as error:
        prepare_noise("musan", musan, tmp_path / "out")
    first, *lines = str(error.value).splitlines()
    assert "5 of 6 files are damaged" in first and len(lines) == 5
    for line, expected in zip(
        lines, ["truncated, 100 bytes", "empty", "cannot be decoded", "no samples", "no such file"]
    ):
        assert expected in line
    assert not list(tmp_path.glob("*out*"))


def test_copies_within_a_corpus_are_used_once(tmp_path):
    dns = make_corpus(tmp_path / "dns", [f"{letter * 11}.wav" for letter in "abcdef"])
    shutil.copy(dns / "bbbbbbbbbbb.wav", dns / "ggggggggggg.wav")
    prepare_noise("dns", dns, tmp_path / "out")
    assert len(prepared(tmp_path / "out")[1]) == 6
    assert removed(tmp_path / "out") == {"ggggggggggg.wav": "a copy of bbbbbbbbbbb.wav"}


@pytest.fixture
def esc50(tmp_path):
    return make_corpus(tmp_path / "esc50", ESC50)


def test_the_same_again_is_left_alone_and_anything_else_made_anew(esc50, tmp_path, caplog):
    def link_times():
        return {path: path.lstat().st_mtime_ns for path in (tmp_path / "out").rglob("*.wav")}

    caplog.set_level(logging.INFO)
    (tmp_path / ".out.1234.tmp" / "train").mkdir(parents=True)  # of a process that was killed
    prepare_noise("esc50", esc50, tmp_path / "out")
    before = link_times()
    prepare_noise("esc50", esc50, tmp_path / "out")
    assert "out: complete" in caplog.text and link_times() == before
    next((tmp_path / "out").rglob("*.wav")).unlink()
    prepare_noise("esc50", esc50, tmp_path / "out")
    assert len(link_times()) == len(ESC50)
    prepare_noise("esc50", esc50, tmp_path / "out", ["urban"])
    assert len(link_times()) == 10 and all(path.name.endswith("-40.wav") for path in link_times())
    make_corpus(esc50, ["audio/2-77-A-45.wav"], seed=5)
    prepare_noise("esc50", esc50, tmp_path / "out", ["urban"])
    assert len(link_times()) == 11
    assert sorted(path.name for path in tmp_path.iterdir()) == ["esc50", "out"]


def test_another_seed_draws_another_split(tmp_path):
    dns = make_corpus(tmp_path / "dns", [f"{number:011d}.wav" for number in range(20)])
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        prepare_noise("dns", dns, tmp_path / name, seed=seed)
    assert prepared(tmp_path / "one") == prepared(tmp_path / "two") != prepared(tmp_path / "three")


def test_a_failure_leaves_nothing_and_keeps_what_was_there(esc50, tmp_path, monkeypatch):
    prepare_noise("esc50", esc50, tmp_path / "out")
    monkeypatch.setattr(noise_preparation, "write_manifest", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        prepare_noise("esc50", esc50, tmp_path / "out", ["urban"])
    assert len(read_manifest(tmp_path / "out" / "manifest.tsv")) == len(ESC50)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["esc50", "out"]


def test_other_folders_are_not_replaced(esc50, tmp_path):
    make_corpus(tmp_path / "mine", ["train/a.wav"])
    for output, expected in (
        (tmp_path / "mine", "mine: there, and no prepared noise corpus"),
        (esc50 / "out", "one is inside the other"),
        (tmp_path, "one is inside the other"),
    ):
        with pytest.raises(MeritError, match=expected):
            prepare_noise("esc50", esc50, output)
    assert (tmp_path / "mine" / "train" / "a.wav").is_file()
    with pytest.raises(MeritError, match="--without .*mine: not a prepared noise corpus"):
        prepare_noise("esc50", esc50, tmp_path / "out", without=[tmp_path / "mine"])


def test_nothing_left_is_refused(esc50, tmp_path):
    prepare_noise("esc50", esc50, tmp_path / "one")
    with pytest.raises(MeritError, match="nothing is left without .*one"):
        prepare_noise("esc50", esc50, tmp_path / "two", without=[tmp_path / "one"])


@pytest.mark.parametrize("fractions", [(0.5, 0.4, 0.2), (1, 0)])
def test_fractions_add_up(esc50, tmp_path, fractions):
    with pytest.raises(MeritError, match="expected three shares"):
        prepare_noise("esc50", esc50, tmp_path / "out", fractions=fractions)


def test_too_few_recordings_to_split(tmp_path):
    names = [f"door_Freesound_validated_{number}_{piece}.wav" for number in (1, 2) for piece in range(9)]
    with pytest.raises(MeritError, match="2 recordings cannot be split into 3 parts"):
        prepare_noise("dns", make_corpus(tmp_path / "dns", names), tmp_path / "out")
