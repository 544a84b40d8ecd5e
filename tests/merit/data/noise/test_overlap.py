"""What two noise corpora have in common is used once."""

import shutil

import soundfile
from published_noise import DNS, make_corpus, prepared, removed

from merit.data.noise.preparation import prepare_noise
from merit.data.noise.recordings import noise_files


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


def test_copies_within_a_corpus_are_used_once(tmp_path):
    dns = make_corpus(tmp_path / "dns", [f"{letter * 11}.wav" for letter in "abcdef"])
    shutil.copy(dns / "bbbbbbbbbbb.wav", dns / "ggggggggggg.wav")
    prepare_noise("dns", dns, tmp_path / "out")
    assert len(prepared(tmp_path / "out")[1]) == 6
    assert removed(tmp_path / "out") == {"ggggggggggg.wav": "a copy of bbbbbbbbbbb.wav"}
