import math

import jiwer
import numpy as np
import pytest

from merit.errors import MeritError
from merit.metrics.transcription import (
    ErrorCount,
    character_errors,
    error_rate,
    normalise_text,
    resampled_error_rates,
    word_errors,
)


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("Hello, World!", "hello world"),
        ("  two\u00a0spaces\tand a\nline ", "two spaces and a line"),
        ("L\u2019été, c'est 'beau' !", "l'été c'est beau"),  # an apostrophe inside of a word and two that quote
        ("s' Ongóndza 'tis dogs'", "s ongóndza tis dogs"),
        ("rendez-vous", "rendez vous"),
        ("\u00ab Où ? \u00bb \u2013 \u201cici\u201d\u2026", "où ici"),
        ("nωέ ÁKÁ", "nωέ áká"),
        ("e\u0301te\u0301", "été"),  # combining accents
        ("\u1405x\u0323'y", "\u1405x\u0323'y"),  # a letter whose mark has no composed form still is inside a word
        ("5 % de 3 €", "5 de 3 €"),
        ("...", ""),
        ("İ", "i\u0307"),  # of which lower case is two characters
    ],
)
def test_normalised_texts(text, normalised):
    assert normalise_text(text) == normalised
    assert normalise_text(normalised) == normalised


def test_words_by_hand():
    references = ["the cat sat on the mat", "Yes, it did.", ""]
    hypotheses = ["the cat sit on mat", "yes it really did", "oh no"]
    counts = word_errors(references, hypotheses)
    assert counts == [ErrorCount(1, 1, 0, 6), ErrorCount(0, 0, 1, 3), ErrorCount(0, 0, 2, 0)]
    assert [count.errors for count in counts] == [2, 1, 2]
    assert error_rate(counts) == pytest.approx(5 / 9)
    # With reference and hypothesis exchanged, what was left out is too much.
    assert word_errors(hypotheses, references)[0] == ErrorCount(1, 0, 1, 5)


def test_characters_by_hand():
    # "kitten" and "sitting" are the textbook's pair: two substitutions, one insertion (Levenshtein).
    counts = character_errors(["kitten", "a b"], ["sitting", "ab"])
    assert counts == [ErrorCount(2, 0, 1, 6), ErrorCount(0, 1, 0, 3)]  # a space counts
    assert error_rate(counts) == pytest.approx(4 / 9)


def test_a_corpus_is_not_the_mean_of_its_utterances():
    references, hypotheses = ["a", "b c d e f g h i j"], ["x", "b c d e f g h i j"]
    assert error_rate(word_errors(references, hypotheses)) == pytest.approx(1 / 10)
    assert error_rate(word_errors(references, hypotheses)) == pytest.approx(jiwer.wer(references, hypotheses))


def test_rates_beyond_one_and_without_references():
    assert error_rate(word_errors(["a"], ["b c d"])) == 3
    assert math.isnan(error_rate(word_errors(["..."], ["b"])))
    assert math.isnan(error_rate([])) and word_errors([], []) == []


def test_other_numbers_of_texts_are_refused():
    with pytest.raises(MeritError, match="1 hypotheses for 2 references"):
        word_errors(["a", "b"], ["a"])


def run(errors, lengths):
    return [ErrorCount(count, 0, 0, length) for count, length in zip(errors, lengths)]


def test_bootstrap_is_that_of_repeated_utterances():
    lengths = np.array([4, 1, 7, 3, 5])
    better, other = [[1, 0, 2, 1, 0], [2, 0, 1, 1, 1]], [[2, 1, 3, 0, 1]]
    rates = resampled_error_rates(
        {"better": [run(one, lengths) for one in better], "other": [run(one, lengths) for one in other]},
        resamples=40,
        seed=5,
    )

    def rate(runs, drawn):
        return np.mean([np.array(one)[drawn].sum() / lengths[drawn].sum() for one in runs])

    drawn = np.random.default_rng(5).integers(5, size=(40, 5))
    expected = np.array([rate(other, row) - rate(better, row) for row in drawn])
    found = rates["better"].minus(rates["other"])["error_rate"]
    assert rates["better"].observed == pytest.approx([4.5 / 20])
    assert found.mean == pytest.approx(7 / 20 - 4.5 / 20)
    assert [found.low, found.high] == pytest.approx(np.percentile(expected, [2.5, 97.5]))
    assert found.p == pytest.approx((1 + (expected < 1e-12).sum()) / 41)
    assert 1 / 41 < found.p < 1


def test_an_empty_reference_can_be_all_that_is_drawn():
    rates = resampled_error_rates({"a": [run([0, 1], [0, 2])]}, resamples=50)
    assert np.isfinite(rates["a"].resampled).all() and {*np.ravel(rates["a"].resampled)} == {0.0, 0.5}


@pytest.mark.parametrize(
    ("other", "problem"), [([3, 2], "different references"), ([2, 2, 1], "different references"), (None, "empty")]
)
def test_runs_that_cannot_be_compared_are_refused(other, problem):
    lengths = [0, 0] if other is None else [2, 2]
    with pytest.raises(MeritError, match=problem):
        resampled_error_rates(
            {"a": [run([0] * len(lengths), lengths)], "b": [run([0] * len(other or lengths), other or lengths)]}
        )
