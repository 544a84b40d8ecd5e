"""egs/mboshi/local: the clone of the Mboshi-French parallel corpus."""

import hashlib
from importlib import import_module

import pytest
from parallel_corpora import EGS, MBOSHI_SENTENCES, make_mboshi, prepared

from merit.data.datadir import read_table
from merit.errors import MeritError


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(EGS / "mboshi/local")
    module = import_module("prepare_mboshi")
    monkeypatch.setattr(module, "HELD_OUT_SHARE", 3)  # of six sentences, two are held out
    return module


@pytest.fixture
def clone(tmp_path):
    make_mboshi(tmp_path / "clone")
    return tmp_path / "clone"


def test_a_third_of_the_sentences_is_held_out_and_the_published_development_set_is_the_test(module, clone, tmp_path):
    module.prepare_mboshi(clone, tmp_path / "data")
    train, dev, test = (prepared(tmp_path / "data", part, "mdw", "fr") for part in ("train", "dev", "test"))
    held_out = {
        sentence
        for sentence in MBOSHI_SENTENCES
        if int.from_bytes(hashlib.blake2b(sentence.encode(), digest_size=8).digest(), "big") % 3 == 0
    }
    assert 0 < len(held_out) < 6
    assert {mboshi for mboshi, _ in dev.values()} == held_out
    assert {mboshi for mboshi, _ in train.values()} == {*MBOSHI_SENTENCES} - held_out
    assert len(train) + len(dev) == 7  # a sentence that was said twice is on one side
    assert test == {"abiayi_2015_elicit_Dico0_3": ("mvundzú ádzá", "l'été c'est 0")}
    assert set(read_table(tmp_path / "data/test/utt2spk").values()) == {"abiayi"}


def test_truncated_files_are_listed_and_left_out_on_demand(module, clone, tmp_path):
    wav = next((clone / "full_corpus_newsplit/train").glob("kouarata*.wav"))
    wav.write_bytes(wav.read_bytes()[:-726])
    with pytest.raises(MeritError, match="audio of 1 of 8 utterances is missing or damaged"):
        module.prepare_mboshi(clone, tmp_path / "data")
    assert "truncated, 726 bytes are missing" in (tmp_path / "data/missing_files.txt").read_text()
    module.prepare_mboshi(clone, tmp_path / "data", allow_missing=True)
    left = {**prepared(tmp_path / "data", "train", "mdw"), **prepared(tmp_path / "data", "dev", "mdw")}
    assert len(left) == 6 and wav.stem not in left


def test_texts_that_are_missing_or_damaged_are_named(module, clone, tmp_path):
    french = next((clone / "full_corpus_newsplit/dev").glob("*.fr.cleaned.noPunct"))
    french.write_text("Une phrase\nEt une autre\n")
    with pytest.raises(MeritError, match=r"\.fr.cleaned.noPunct: 2 lines, expected one sentence"):
        module.prepare_mboshi(clone, tmp_path / "data")
    french.write_bytes(b"\xe9\n")
    with pytest.raises(MeritError, match=r"\.fr.cleaned.noPunct: not UTF-8 text"):
        module.prepare_mboshi(clone, tmp_path / "data")
    french.unlink()
    with pytest.raises(MeritError, match=r"\.fr.cleaned.noPunct: the file is missing; restore it from the clone"):
        module.prepare_mboshi(clone, tmp_path / "data")


def test_another_folder_is_told_what_is_expected(module, tmp_path):
    with pytest.raises(MeritError, match="give the folder of a clone .*git clone https://github.com/besacier"):
        module.prepare_mboshi(tmp_path, tmp_path / "data")
