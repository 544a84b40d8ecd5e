"""MUSAN as a small folder of its layout."""

from published_noise import make_corpus, prepared, removed

from merit.data.noise.preparation import prepare_noise


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
