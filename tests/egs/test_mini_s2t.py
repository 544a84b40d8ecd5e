"""egs/mini_s2t: the translation is made by the rules of French, and no sentence of the test is trained on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from merit.data.datadir import problems_in, read_table

LOCAL = Path(__file__).parents[2] / "egs/mini_s2t/local"
sys.path.insert(0, str(LOCAL))
import grammar  # noqa: E402


class Fixed:
    """Draws the words that are named, in order; a number is drawn as such."""

    def __init__(self, *draws):
        self.draws = list(draws)

    def integers(self, size):
        return self.draws.pop(0)

    def random(self):
        return self.draws.pop(0)


def place(table, word):
    return list(table).index(word)


@pytest.mark.parametrize(
    "phrase, translation",
    [
        (("the", 0, "house", "white"), ("the white house", "la maison blanche", 0)),
        (("the", 1, "horse", "new"), ("the new horses", "les chevaux neufs", 1)),
        (("a", "cat", None), ("a cat", "un chat", 0)),
        (("six", "flower", "green"), ("six green flowers", "six fleurs vertes", 1)),
        (("my", 0, "girl", None), ("my girl", "ma fille", 0)),
    ],
)
def test_adjectives_follow_and_agree(phrase, translation):
    determiner, *number, noun, adjective = phrase
    draws = [place(grammar.DETERMINERS, determiner), *number, place(grammar.NOUNS, noun)]
    draws += [0.9] if adjective is None else [0.1, place(grammar.ADJECTIVES, adjective)]
    assert grammar.noun_phrase(Fixed(*draws)) == translation


def test_negation_stands_around_the_verb_and_the_time_moves_to_the_front():
    dogs = [place(grammar.DETERMINERS, "two"), place(grammar.NOUNS, "dog"), 0.9]
    table = [place(grammar.DETERMINERS, "the"), 0, place(grammar.NOUNS, "table"), 0.9]
    draws = [*dogs, *table, place(grammar.VERBS, "see"), 0.1, 0.1, place(grammar.TIMES, "every morning")]
    expected = ("two dogs do not see the table every morning", "chaque matin deux chiens ne voient pas la table")
    assert grammar.sentence(Fixed(*draws)) == expected


def test_every_word_has_one_form_for_each_agreement():
    generator = np.random.default_rng(0)
    pairs = [grammar.sentence(generator) for _ in range(2000)]
    english = {word for sentence, _ in pairs for word in sentence.split()}
    assert len(english) == 40  # of a vocabulary that a small model can learn
    assert len({english for english, _ in pairs}) > 1500


def test_the_sets_have_other_sentences_and_both_languages(tmp_path):
    counts = ("--train", "6", "--dev", "2", "--test", "3")
    line = [sys.executable, str(LOCAL / "prepare_mini_s2t.py"), "--corpus", str(tmp_path / "audio")]
    subprocess.run([*line, "--output", str(tmp_path / "data"), *counts], check=True)
    texts = [read_table(tmp_path / "data" / name / "text.en") for name in ("train", "dev", "test")]
    assert [len(table) for table in texts] == [6, 2, 3]
    assert len({text for table in texts for text in table.values()}) == 11
    for name in ("train", "dev", "test"):
        assert problems_in(tmp_path / "data" / name, audio=True) == []
        assert {*read_table(tmp_path / "data" / name / "utt2bw").values()} == {"wide"}
