"""A dev set that is drawn once is laid out as stored mixtures are."""

import json

import numpy as np
import pytest
import soundfile
from made_audio import write
from made_mixing import make_mixing

from merit.data.audio import read_audio
from merit.data.datadir import problems_in, read_table
from merit.data.noise.online.drawn_set import write_drawn_set
from merit.data.noise.online.mixer import draw_mixture
from merit.errors import MeritError


def draw(recipe, name="out", nj=1, **changes):
    mixing = make_mixing(recipe, **changes)
    return write_drawn_set(recipe / "data/test", mixing, recipe / name, recipe / f"{name}-audio", nj), mixing


def times(root):
    return {path: path.stat().st_mtime_ns for path in root.rglob("*.flac") if "corpus" not in path.parts}


def test_it_holds_what_is_drawn_for_no_epoch_of_training(recipe):
    directory, mixing = draw(recipe, telephone_share=0.5)
    assert directory.name == "test_drawn" and problems_in(directory, classes=["anger", "joy"], audio=True) == []
    tables = {file.name: read_table(file) for file in directory.iterdir() if file.name != "spk2utt"}
    for utterance, entry in read_table(recipe / "data/test/wav.scp").items():
        speech = read_audio(entry, utterance)
        drawn = draw_mixture(mixing, utterance, tables["utt2spk"][utterance], speech, -1)
        for table, name in (("wav.scp", "noisy"), ("spk1.scp", "clean"), ("noise1.scp", "noise")):
            written = soundfile.read(tables[table][utterance])[0]
            np.testing.assert_allclose(written, getattr(drawn.mixture, name), atol=2**-15)
        assert float(tables["utt2snr"][utterance]) == pytest.approx(drawn.snr, abs=1e-3)
        assert float(tables["utt2snr_measured"][utterance]) == pytest.approx(drawn.snr, abs=0.1)
        assert tables["utt2noise"][utterance] == f"{drawn.noise} {drawn.offset}"
        gain = float(tables["utt2gain"][utterance])
        assert gain == pytest.approx(drawn.mixture.gain * 10 ** (drawn.gain / 20))
        if not drawn.telephone:
            np.testing.assert_allclose(soundfile.read(tables["spk1.scp"][utterance])[0], gain * speech, atol=2**-15)
        assert tables["utt2rir"][utterance] == (drawn.room or "none")
        assert tables["utt2telephone"][utterance] == str(drawn.telephone).lower()
        assert float(tables["utt2dur"][utterance]) * 16000 == len(speech)
    assert len(set(tables["utt2snr"].values())) == 4


def test_no_tables_of_what_is_never_drawn(recipe):
    directory, _ = draw(recipe, telephone_share=0.5)
    draw(recipe, room_share=0.0, telephone_share=0.0)
    assert not (directory / "utt2rir").exists() and not (directory / "utt2telephone").exists()
    assert problems_in(directory, audio=True) == []


def test_any_number_of_processes_draws_the_same(recipe):
    draw(recipe, "one"), draw(recipe, "two", nj=2)
    written = sorted(path.relative_to(recipe / "one-audio") for path in (recipe / "one-audio").rglob("*.flac"))
    assert len(written) == 12
    for path in written:
        assert (recipe / "one-audio" / path).read_bytes() == (recipe / "two-audio" / path).read_bytes()


def test_what_is_drawn_is_kept_and_an_interrupted_run_goes_on(recipe):
    directory, _ = draw(recipe)
    before, tables = times(recipe), {file.name: file.read_text() for file in directory.iterdir()}
    draw(recipe)
    assert times(recipe) == before
    (directory / "wav.scp").unlink()
    record = recipe / "out-audio/test_drawn/mixing.jsonl"
    unfinished = json.loads(record.read_text().splitlines()[-1])["utterance"]
    record.write_text(record.read_text()[:-30])  # killed while writing the last line
    draw(recipe)
    changed = {path.stem for path, time in times(recipe).items() if before.get(path) != time}
    assert changed == {unfinished}
    assert {file.name: file.read_text() for file in directory.iterdir()} == tables
    draw(recipe, seed=8)
    assert all(before[path] != time for path, time in times(recipe).items())


def test_what_cannot_be_mixed_is_listed_and_the_directory_is_not_there(recipe):
    write(recipe / "corpus/a-1.wav", np.zeros(4000))
    write(recipe / "corpus/b-1.wav", np.full(399, 0.1))
    with pytest.raises(MeritError) as error:
        draw(recipe)
    assert "2 problems, all else is mixed and kept" in str(error.value)
    assert "a-1: silent" in str(error.value) and "b-1: " in str(error.value) and "399 samples" in str(error.value)
    assert not (recipe / "out/test_drawn").exists() and len(times(recipe / "out-audio")) == 6
    with pytest.raises(MeritError, match="--nj 0"):
        draw(recipe, nj=0)
