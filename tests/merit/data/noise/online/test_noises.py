import random

import numpy as np
import pytest
from made_audio import write

from merit.data.audio import read_audio
from merit.data.noise.mixing import power
from merit.data.noise.online.noises import Babble, Recordings
from merit.data.noise.online.piece import read_piece
from merit.errors import MeritError


@pytest.fixture
def speech(tmp_path):
    """Two utterances of each of four speakers, each with a frequency of its own in Hz, which is a whole number."""
    found = {}
    for place, speaker in enumerate("abcd"):
        time = np.arange(6400) / 16000  # whole periods, so that utterances go on where others end
        found[speaker] = [
            write(tmp_path / f"{speaker}{n}.wav", (0.1 + 0.1 * n) * np.sin(2 * np.pi * 500 * (place + 1) * time))
            for n in (0, 1)
        ]
    return found


def heard(samples):
    """Which of the speakers are heard, by their frequencies."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    at = [spectrum[round(500 * place * len(samples) / 16000)] for place in range(1, 5)]
    return "".join(name for name, level in zip("abcd", at) if level > 0.2 * max(at))


def test_nobody_talks_into_their_own_speech_and_all_talk_at_one_power(speech):
    babble = Babble("babble", 1.0, 2, speech)
    met = set()
    for number in range(60):
        piece = babble.piece(random.Random(number), 16000, "u", "b")
        talking = heard(piece.samples)
        assert piece.samples.shape == (16000,) and len(talking) == 2 and "b" not in talking
        assert "".join(sorted(piece.source.split("+"))) == talking
        assert power(piece.samples) == pytest.approx(2, rel=0.1)  # two powers of 1, in different bands
        met.add(talking)
    assert met == {"ac", "ad", "cd"}


def test_of_few_speakers_some_talk_twice_and_one_alone_is_too_few(speech):
    pair = {name: speech[name] for name in "ab"}
    assert Babble("babble", 1.0, 3, pair).piece(random.Random(0), 9000, "u", "a").source == "b+b+b"
    for talkers, speakers in ((0, "abc"), (2, "a")):
        with pytest.raises(MeritError, match="two speakers, since nobody talks into their own speech"):
            Babble("babble", 1.0, talkers, {name: speech[name] for name in speakers})


def test_talkers_begin_within_their_utterances_and_say_several(speech):
    voice = Babble("babble", 1.0, 1, {"a": speech["a"], "b": speech["b"]})
    samples = voice.piece(random.Random(4), 20000, "u", "b").samples
    both = np.concatenate([read_audio(entry, "x") for entry in speech["a"]])
    assert len(samples) == 20000 > len(both)  # three and a bit of its two
    assert samples[0] != 0 or samples[1] != 0


def test_a_recording_is_drawn_and_a_place_in_it(tmp_path):
    files = [write(tmp_path / f"{n}.wav", np.full(9000 + n, 0.1 * (n + 1))) for n in range(3)]
    recordings = Recordings("hum", 1.0, files)
    pieces = [recordings.piece(random.Random(number), 4000, "u", "a") for number in range(300)]
    counts = [sum(piece.source == file for piece in pieces) for file in files]
    assert min(counts) > 75 and len({piece.offset for piece in pieces}) > 200
    for piece in pieces[:20]:
        place = piece.offset / (9001 - 4000 + files.index(piece.source)) + 1e-9
        np.testing.assert_array_equal(piece.samples, read_piece(piece.source, place, 4000)[0])


def test_babble_of_known_talkers_is_never_that_of_the_utterance_itself(tmp_path):
    files = [write(tmp_path / f"{n}.wav", np.full(9000, 0.1)) for n in range(3)]
    recordings = Recordings("babble", 1.0, files, {files[0]: ["u", "v"], files[2]: ["u"]})
    assert recordings.allowed("u") == [files[1]] and recordings.allowed("v") == files[1:]
    assert recordings.allowed("w") == files
    drawn = {name: {recordings.piece(random.Random(n), 9, name, "a").source for n in range(40)} for name in "uvw"}
    assert drawn == {"u": {files[1]}, "v": {*files[1:]}, "w": {*files}}
