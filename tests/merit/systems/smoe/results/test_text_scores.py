"""Scores of texts that can be counted by hand."""

import pytest
from made_texts import ENGLISH, FRENCH, ONE_WRONG, make_tests, write_decoded

from merit.errors import MeritError
from merit.systems.smoe.results.text_scores import cost_of, read_test_set, scores_of, signatures, task_scores

LANGUAGES = {"transcribe": "en", "translate": "fr"}


def test_a_wrong_word_of_sixteen_and_nothing_wrong(tmp_path):
    wide, narrow = (read_test_set(path, LANGUAGES) for path in make_tests(tmp_path / "data"))
    assert (wide.name, wide.bandwidth, narrow.bandwidth) == ("test", "wide", "narrow")
    write_decoded(tmp_path / "decode/test", ONE_WRONG, FRENCH, seconds=2.0)
    scores = scores_of(wide, tmp_path / "decode")
    assert scores["wer"] == pytest.approx(100 / 16)
    assert scores["cer"] == pytest.approx(100 * 3 / sum(map(len, ENGLISH.values())))  # "the" to "a"
    assert scores["bleu"] == pytest.approx(100) and scores["chrf"] == pytest.approx(100)
    assert cost_of(wide, tmp_path / "decode") == {"rtf_transcribe": 0.2, "rtf_translate": 0.2, "peak_memory_gb": 0.25}
    assert [line.split("|")[0] for line in signatures(wide, tmp_path / "decode")] == ["BLEU: nrefs:1", "chrF: nrefs:1"]


def test_a_model_that_only_transcribes_has_error_rates_alone(tmp_path):
    test = read_test_set(make_tests(tmp_path / "data")[0], {"transcribe": "en"})
    write_decoded(tmp_path / "decode/test", ENGLISH, FRENCH)
    assert scores_of(test, tmp_path / "decode") == {"wer": 0, "cer": 0} and signatures(test, tmp_path / "decode") == []


def test_case_and_points_count_in_translations_alone():
    assert task_scores("transcribe", ["The cat sees."], ["the cat sees"])["wer"] == 0
    assert task_scores("translate", ["Le chat voit la fille."], ["le chat voit la fille"])["bleu"] < 100


def test_texts_of_other_utterances_are_refused(tmp_path):
    test = read_test_set(make_tests(tmp_path / "data")[0], LANGUAGES)
    write_decoded(tmp_path / "decode/test", {**ENGLISH, "u4": "x"}, FRENCH)
    with pytest.raises(MeritError, match="transcribe.csv: utterance u4 is in only one of it and"):
        scores_of(test, tmp_path / "decode")
    with pytest.raises(MeritError, match="translate.csv: the file is missing; decode first"):
        test.hypotheses(tmp_path / "elsewhere", "translate")
