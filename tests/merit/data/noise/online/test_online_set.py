import logging

import numpy as np
import pytest
import soundfile
from made_audio import write
from made_mixing import make_mixing

from merit.data.datadir import problems_in, read_table
from merit.data.noise.online.mixing_file import read_mixing
from merit.data.noise.online.online_set import write_online_set
from merit.data.noise.online.values import Values
from merit.errors import MeritError


def times(directory):
    return {path.name: path.stat().st_mtime_ns for path in directory.iterdir()}


def test_it_has_the_tables_of_the_set_and_what_is_drawn_from(recipe, caplog):
    mixing = make_mixing(recipe)
    directory = write_online_set(recipe / "data/test", mixing, recipe / "out")
    assert directory == recipe / "out/test_online" and read_mixing(directory / "mixing.json") == mixing
    for name in ("wav.scp", "utt2spk", "spk2utt", "utt2emo", "utt2gender"):
        assert (directory / name).read_bytes() == (recipe / "data/test" / name).read_bytes()
    durations = read_table(directory / "utt2dur")  # the recipe's own say 1
    assert {name: float(value) * 16000 for name, value in durations.items()} == {
        "a-1": 6000, "a-2": 3000, "b-1": 3200, "b-2": 5000,
    }  # fmt: skip
    before = times(directory)
    with caplog.at_level(logging.INFO):
        write_online_set(recipe / "data/test", mixing, recipe / "out")
    assert times(directory) == before and "test_online: complete" in caplog.text
    write_online_set(recipe / "data/test", make_mixing(recipe, snr=Values((5.0,), False)), recipe / "out")
    assert times(directory)["wav.scp"] != before["wav.scp"]
    assert read_mixing(directory / "mixing.json").snr.text == "5"


def test_durations_are_those_after_resampling(recipe):
    write(recipe / "corpus/b-1.wav", 0.1 * np.ones((10001, 2)), 44100)
    directory = write_online_set(recipe / "data/test", make_mixing(recipe), recipe / "out")
    assert float(read_table(directory / "utt2dur")["b-1"]) * 16000 == np.ceil(10001 * 16000 / 44100)


def test_every_utterance_that_cannot_be_read_is_listed(recipe):
    write(recipe / "corpus/a-1.wav", np.full(399, 0.1))
    truncated = recipe / "corpus/b-1.wav"
    truncated.write_bytes(truncated.read_bytes()[:-100])
    with pytest.raises(MeritError) as error:
        write_online_set(recipe / "data/test", make_mixing(recipe), recipe / "out")
    assert "a-1: " in str(error.value) and "399 samples" in str(error.value) and "b-1: " in str(error.value)
    assert not (recipe / "out").exists()


def test_a_directory_is_not_whole_before_its_last_table(recipe, monkeypatch):
    mixing = make_mixing(recipe)
    directory = write_online_set(recipe / "data/test", mixing, recipe / "out")

    def killed(*arguments, **tables):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("merit.data.noise.online.online_set.write_data_directory", killed)
        with pytest.raises(KeyboardInterrupt):
            write_online_set(recipe / "data/test", make_mixing(recipe, seed=9), recipe / "out")
    assert not (directory / "wav.scp").exists()
    write_online_set(recipe / "data/test", mixing, recipe / "out")
    assert read_mixing(directory / "mixing.json").seed == 3 and (directory / "wav.scp").exists()


def test_no_tool_takes_its_clean_speech_for_what_is_heard(recipe):
    directory = write_online_set(recipe / "data/test", make_mixing(recipe), recipe / "out")
    assert problems_in(directory) == [
        f"{directory}: mixed anew in every epoch (mixing.json); give the data directory that it was made of"
    ]
    assert soundfile.info(read_table(directory / "wav.scp")["a-2"]).frames == 3000
