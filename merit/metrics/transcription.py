"""Word and character error rates of transcripts, by jiwer, over a corpus: errors of all utterances by reference length.

Both sides are normalised first, always in the same way (:func:`normalise_text`), so that rates of different models
compare. Rates are fractions: 0.25 is 25 %; insertions can take them beyond 1.
"""

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import jiwer
import numpy as np

from merit.errors import MeritError
from merit.metrics.bootstrap import Resampled, resampling_weights

APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'", "\uff07": "'"})


def normalise_text(text: str) -> str:
    """Bring a text to the form that is compared: what is said, without how it is set.

    1. Unicode normal form C: a letter with a combining mark is the same as the letter that has it.
    2. Lower case.
    3. An apostrophe between two letters or marks stays, in the form ``'`` ("l'été", "don't" are one word each).
    4. All other punctuation (Unicode categories ``P*``) becomes a space: "rendez-vous" is two words. Symbols such as
       ``%`` in category ``P`` go too; letters, marks, digits and symbols of the categories ``S*`` stay.
    5. White space of any kind is a single space between words, and none at the ends.

    Normalising twice changes nothing.
    """
    characters = list(unicodedata.normalize("NFC", text.lower()).translate(APOSTROPHES))
    kept = [
        character if not _is_punctuation(character) or _is_inside_word(characters, place) else " "
        for place, character in enumerate(characters)
    ]
    return " ".join("".join(kept).split())


@dataclass(frozen=True)
class ErrorCount:
    """Errors of one utterance, in words or in characters.

    Attributes:
        substitutions, deletions, insertions: of the alignment with the fewest errors.
        reference: words or characters that there are to recognise.
    """

    substitutions: int
    deletions: int
    insertions: int
    reference: int

    @property
    def errors(self) -> int:
        """All errors."""
        return self.substitutions + self.deletions + self.insertions


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> list[ErrorCount]:
    """Errors of each utterance in words.

    Args:
        references: texts, normalised here; one that is empty then has insertions alone.
        hypotheses: texts of the same utterances.

    Raises:
        MeritError: when there are not as many hypotheses as references.
    """
    return _counts(jiwer.process_words, references, hypotheses)


def character_errors(references: Sequence[str], hypotheses: Sequence[str]) -> list[ErrorCount]:
    """Errors of each utterance in characters (Unicode code points in normal form C), spaces between words included.

    Raises:
        MeritError: when there are not as many hypotheses as references.
    """
    return _counts(jiwer.process_characters, references, hypotheses)


def error_rate(counts: Sequence[ErrorCount]) -> float:
    """Errors of all utterances over the length of all references; NaN where that is 0."""
    length = sum(count.reference for count in counts)
    return sum(count.errors for count in counts) / length if length else math.nan


def resampled_error_rates(
    methods: Mapping[str, Sequence[Sequence[ErrorCount]]], resamples: int = 1000, seed: int = 0
) -> dict[str, Resampled]:
    """Error rates of all methods on the same resamples of the test utterances.

    Args:
        methods: method -> for each of its seeds, the errors of each utterance.
        resamples: R, each of as many utterances as there are, drawn with replacement.
        seed: of the draws.

    Returns:
        Method -> its one measure, ``error_rate``; ``rates[a].minus(rates[b])`` says by how much a's is lower.

    Raises:
        MeritError: when runs are of other utterances, as far as the lengths of their references tell, or these are all
            empty.
    """
    runs = [run for seeds in methods.values() for run in seeds]
    lengths = np.array([count.reference for count in runs[0]])
    if any([count.reference for count in run] != lengths.tolist() for run in runs):
        raise MeritError("error rates of different references cannot be compared; score all runs on the same test set")
    if not lengths.sum():
        raise MeritError("the references are empty; an error rate needs something that was said")
    errors = {
        method: np.mean([[count.errors for count in run] for run in seeds], axis=0) for method, seeds in methods.items()
    }

    def rates(weights: np.ndarray) -> dict[str, np.ndarray]:
        drawn = np.maximum(weights @ lengths, 1)  # a resample may have drawn empty references alone
        return {method: (weights @ counts / drawn)[:, None] for method, counts in errors.items()}

    observed = rates(np.ones((1, len(lengths))))
    blocks = [rates(weights) for weights in resampling_weights(len(lengths), resamples, seed)]
    return {
        method: Resampled(
            ("error_rate",), observed[method][0], np.concatenate([block[method] for block in blocks]), True
        )
        for method in methods
    }


def _counts(
    process: Callable[[list[str], list[str]], jiwer.WordOutput | jiwer.CharacterOutput],
    references: Sequence[str],
    hypotheses: Sequence[str],
) -> list[ErrorCount]:
    if len(references) != len(hypotheses):
        raise MeritError(f"{len(hypotheses)} hypotheses for {len(references)} references; expected one for each")
    if not references:
        return []
    output = process([normalise_text(text) for text in references], [normalise_text(text) for text in hypotheses])
    return [_count(chunks, len(words)) for chunks, words in zip(output.alignments, output.references)]


def _count(chunks: Sequence[jiwer.AlignmentChunk], length: int) -> ErrorCount:
    kinds = {"substitute": 0, "delete": 0, "insert": 0, "equal": 0}
    for chunk in chunks:
        kinds[chunk.type] += max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
    return ErrorCount(kinds["substitute"], kinds["delete"], kinds["insert"], length)


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] == "P"


def _is_inside_word(characters: Sequence[str], place: int) -> bool:
    neighbours = characters[max(0, place - 1) : place] + characters[place + 1 : place + 2]
    return (
        characters[place] == "'"
        and len(neighbours) == 2
        and all(unicodedata.category(neighbour)[0] in "LM" for neighbour in neighbours)
    )
