import math

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from merit.errors import MeritError
from merit.metrics.translation import MEASURES, paired_bootstrap, translation_scores

# The example of sacrebleu's README, with the scores that it prints there.
REFERENCES = [
    ["The dog bit the man.", "It was not unexpected.", "The man bit him first."],
    ["The dog had bit the man.", "No one was surprised.", "The man had bitten the dog."],
]
HYPOTHESES = ["The dog bit the man.", "It wasn't surprising.", "The man had just bitten him."]


def test_the_published_example():
    scores = translation_scores(REFERENCES, HYPOTHESES)
    assert list(scores) == list(MEASURES)
    assert scores["bleu"].value == pytest.approx(48.53, abs=0.005)
    assert scores["chrf"].value == pytest.approx(59.73, abs=0.005)
    assert scores["bleu"].signature.startswith("nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert scores["chrf"].signature.startswith("nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no|version:")


def test_bleu_by_hand():
    # Precisions of 1 to 4 words: 6/7, 4/6, 3/5, 2/4; as long as the reference, so that nothing is taken off.
    scores = translation_scores([["the cat is on the red mat"]], ["the cat is on the blue mat"])
    assert scores["bleu"].value == pytest.approx(100 * (6 / 7 * 4 / 6 * 3 / 5 * 2 / 4) ** (1 / 4))
    shorter = translation_scores([["a b c d e f g h"]], ["a b c d e f"])
    assert shorter["bleu"].value == pytest.approx(100 * math.exp(1 - 8 / 6))


def test_case_and_punctuation_count():
    exact, lower, bare = (
        translation_scores([["Il est là."]], [text]) for text in ("Il est là.", "il est là.", "Il est là")
    )
    assert [score.value for score in exact.values()] == pytest.approx([100, 100])
    assert max(lower["bleu"].value, bare["bleu"].value) < 100


def translations(seed, right):
    generator = np.random.default_rng(seed)
    words = ["le", "chat", "noir", "dort", "sur", "un", "toit", "rouge"]
    references = [" ".join(generator.choice(words, size=9)) for _ in range(30)]
    return references, [
        [" ".join(word if generator.random() < right else "chien" for word in text.split()) for text in references]
        for _ in range(2)
    ]


def test_bootstrap_has_the_resamples_and_scores_of_sacrebleu():
    references, (weak, strong) = translations(0, 0.8)
    found = paired_bootstrap([references], {"weak": [weak], "strong": [strong]}, resamples=50)
    for place, (title, metric) in enumerate((("BLEU", BLEU()), ("chrF2", CHRF()))):
        named = [("weak", weak), ("strong", strong)]
        _, theirs = PairedTest(named, {title: metric}, [references], test_type="bs", n_samples=50)()
        for name, result in zip(("weak", "strong"), theirs[title]):
            assert found[name].observed[place] == pytest.approx(result.score)
            assert found[name].resampled[:, place].mean() == pytest.approx(result.mean, rel=1e-5)


def test_bootstrap_is_that_of_repeated_utterances_and_averages_seeds():
    references, runs = translations(1, 0.7)
    found = paired_bootstrap([references], {"a": runs}, resamples=6, seed=3)["a"]
    for row, drawn in enumerate(np.random.default_rng(3).integers(30, size=(6, 30))):
        texts = [[[side[place] for place in drawn] for side in (references, run)] for run in runs]
        for place, metric in enumerate((BLEU(), CHRF())):
            expected = np.mean([metric.corpus_score(hypothesis, [reference]).score for reference, hypothesis in texts])
            assert found.resampled[row, place] == pytest.approx(expected)


def test_what_says_the_same_is_no_better():
    references, (weak, _) = translations(2, 0.6)
    found = paired_bootstrap([references], {"a": [weak], "b": [list(weak)], "right": [references]}, resamples=99)
    for measure in MEASURES:
        assert (found["a"].minus(found["b"])[measure].mean, found["a"].minus(found["b"])[measure].p) == (0, 1)
        assert found["right"].minus(found["a"])[measure].p == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("references", "hypotheses", "problem"),
    [
        ([["a", "b"]], ["a"], "1 translations for 2 references"),
        ([["a"], []], ["a"], "1 translations for 0 references"),
        ([], ["a"], "no translations"),
        ([[]], [], "no translations"),
    ],
)
def test_what_cannot_be_scored_is_refused(references, hypotheses, problem):
    with pytest.raises(MeritError, match=problem):
        translation_scores(references, hypotheses)
    with pytest.raises(MeritError, match=problem):
        paired_bootstrap(references, {"a": [hypotheses]})
