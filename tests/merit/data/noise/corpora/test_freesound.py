"""Downloads of Freesound, and FSD50K, as small folders of their layouts."""

import pytest
from published_noise import make_corpus, prepared

from merit.data.noise.preparation import prepare_noise
from merit.data.noise.recordings import PARTS
from merit.errors import MeritError


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
