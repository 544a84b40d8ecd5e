"""egs/fisher_callhome/local: LDC's calls and the lines of Post et al."""

import shutil
from importlib import import_module

import numpy as np
import pytest
import soundfile
from parallel_corpora import EGS, make_fisher_callhome, prepared, write_lines

from merit.data.audio import read_audio, resample
from merit.data.datadir import read_table
from merit.errors import MeritError

CALL = "20051009_182033_217_fsp"


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(EGS / "fisher_callhome/local")
    return import_module("prepare_fisher_callhome").prepare_fisher_callhome


@pytest.fixture
def corpus(tmp_path):
    make_fisher_callhome(tmp_path / "ldc")
    return tmp_path / "ldc"


def test_turns_are_joined_as_the_mapping_says_and_markup_is_gone(prepare, corpus, tmp_path):
    prepare(corpus, tmp_path / "data")
    # The last line is a cough, which has no words.
    assert prepared(tmp_path / "data", "test", "es", "en") == {
        f"{CALL}-A-000001": ("Buenas tardes .", "Good.0 afternoon."),
        f"{CALL}-B-000002": ("Buenas tardes ¿Cómo está?", "How are you?"),
    }
    assert f"{CALL}-A-000003: no text.es" in (tmp_path / "data/empty_texts.txt").read_text().splitlines()
    call, _ = soundfile.read(corpus / f"LDC2010S01/DISC1/data/speech/{CALL}.sph", dtype="float32")
    entry = read_table(tmp_path / "data/test/wav.scp")[f"{CALL}-B-000002"]
    assert np.allclose(read_audio(entry, "u"), resample(call[4000:10000, 1], 8000), atol=1e-6)
    assert set(read_table(tmp_path / "data/test/utt2bw").values()) == {"narrow"}
    for part in ("train", "dev", "fisher_dev2"):
        assert len(prepared(tmp_path / "data", part, "es", "en")) == 2


def test_callhome_counts_the_lines_of_its_transcripts(prepare, corpus, tmp_path):
    prepare(corpus, tmp_path / "data")
    assert prepared(tmp_path / "data", "callhome_evltest", "es", "en") == {
        "sp_0892-A-000001": ("No porque ya no estoy", "No because I am not"),
        "sp_0892-B-000002": ("Ajá, mañana.", "Aha, tomorrow."),
    }
    assert read_table(tmp_path / "data/callhome_evltest/utt2dur")["sp_0892-A-000001"] == "2.9100"


def test_fisher_stands_without_callhome(prepare, corpus, tmp_path):
    shutil.rmtree(corpus / "LDC96T17")
    prepare(corpus, tmp_path / "data")
    assert not (tmp_path / "data/callhome_train").exists() and len(prepared(tmp_path / "data", "train", "es")) == 2


def test_markup_is_that_of_the_published_script(monkeypatch):
    monkeypatch.syspath_prepend(EGS / "fisher_callhome/local")
    strip_markup = import_module("transcripts").strip_markup
    # By bin/strip_markup.pl of the corpus of translations.
    assert (
        strip_markup('<foreign lang="English"> okay </foreign> (( sí )) +no+ *va* a/b {laugh} [ruido] #1')
        == "okay sí no va ab 1"
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("20990101_000000_1_fsp 1", "fisher_test:1: there is no transcript of the call 20990101_000000_1_fsp"),
        (f"{CALL} 5", "fisher_test:1: .* has no turn in line 5"),
        (f"{CALL} 1_x", "fisher_test:1: .* has no turn in line 1_x"),
        (f"{CALL} 0", "fisher_test:1: .* has no turn in line 0"),
    ],
)
def test_lines_of_the_mapping_that_lead_nowhere(prepare, corpus, tmp_path, line, problem):
    clone = corpus / "fisher-callhome-corpus"
    write_lines(clone / "mapping/fisher_test", line)
    write_lines(clone / "corpus/ldc/fisher_test.en.0", "Hello.")
    with pytest.raises(MeritError, match=problem):
        prepare(corpus, tmp_path / "data")


def test_what_is_damaged_is_refused(prepare, corpus, tmp_path):
    write_lines(corpus / "fisher-callhome-corpus/corpus/ldc/fisher_test.en.0", "Hello.")
    with pytest.raises(MeritError, match="fisher_test: 3 lines for 1 translations"):
        prepare(corpus, tmp_path / "data")
    write_lines(corpus / f"LDC2010T04/fisher_spa_tr/data/transcripts/{CALL[:14]}0_217_fsp.tdf", "a\t0\tx")
    with pytest.raises(MeritError, match=r"0_217_fsp.tdf:1: expected file, channel, start, end"):
        prepare(corpus, tmp_path / "data")
    shutil.rmtree(corpus / "LDC2010S01")
    with pytest.raises(MeritError, match="LDC2010S01: no .sph files here"):
        prepare(corpus, tmp_path / "data")


def test_calls_whose_audio_is_missing_are_listed(prepare, corpus, tmp_path):
    (corpus / f"LDC2010S01/DISC1/data/speech/{CALL}.sph").unlink()
    with pytest.raises(MeritError, match="audio of 3 of 18 utterances is missing"):
        prepare(corpus, tmp_path / "data")
