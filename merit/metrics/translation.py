"""BLEU and chrF of translations over a corpus, by sacrebleu, with the signatures that say how they were computed.

Texts are scored as they are written, with case and punctuation (Post 2018); sacrebleu tokenises them (13a) itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics import BLEU, CHRF

from merit.errors import MeritError
from merit.metrics.bootstrap import Resampled, resampling_weights

MEASURES = ("bleu", "chrf")


@dataclass(frozen=True)
class TranslationScore:
    """One score of a corpus of translations.

    Attributes:
        value: 0 to 100.
        signature: sacrebleu's, with which others can compute the same score.
    """

    value: float
    signature: str


def translation_scores(references: Sequence[Sequence[str]], hypotheses: Sequence[str]) -> dict[str, TranslationScore]:
    """Corpus BLEU and chrF.

    Args:
        references: one or several lists, each with a translation of every utterance.
        hypotheses: of every utterance; one that is empty counts as such.

    Returns:
        In the order of ``MEASURES``.

    Raises:
        MeritError: when there is nothing to score, or not as many hypotheses as references.
    """
    _check(references, hypotheses)
    found = {}
    for measure, metric in _metrics().items():
        score = metric.corpus_score(list(hypotheses), [list(texts) for texts in references]).score
        found[measure] = TranslationScore(float(score), str(metric.get_signature()))
    return found


def paired_bootstrap(
    references: Sequence[Sequence[str]],
    methods: Mapping[str, Sequence[Sequence[str]]],
    resamples: int = 1000,
    seed: int = 12345,
) -> dict[str, Resampled]:
    """Score all methods on the same resamples of the test utterances.

    With the seed 12345 they are sacrebleu's own resamples (``sacrebleu --paired-bs``). Its p-value is not taken: there,
    methods that say the same differ significantly, and a method has one seed.

    Args:
        references: as for :func:`translation_scores`.
        methods: method -> translations (U,) of each of its seeds.
        resamples: R, each of U utterances drawn with replacement.
        seed: of the draws.

    Returns:
        Method -> scores of ``MEASURES``; ``scores[a].minus(scores[b])`` compares two of them.

    Raises:
        MeritError: as :func:`translation_scores`.
    """
    for runs in methods.values():
        for hypotheses in runs:
            _check(references, hypotheses)
    lists = [list(texts) for texts in references]
    scores = {
        method: [[_Sums(metric, run, lists) for metric in _metrics().values()] for run in runs]
        for method, runs in methods.items()
    }

    def means(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {
            method: np.mean([np.stack([sums.scores(weights) for sums in run], axis=1) for run in runs], axis=0)
            for method, runs in scores.items()
        }

    utterances = len(lists[0])
    observed = means(np.ones((1, utterances)))
    blocks = [means(weights) for weights in resampling_weights(utterances, resamples, seed)]
    return {
        method: Resampled(MEASURES, observed[method][0], np.concatenate([block[method] for block in blocks]))
        for method in methods
    }


class _Sums:
    """The counts of every utterance of which a corpus's score is made, as sacrebleu's own bootstrap has them."""

    def __init__(self, metric: BLEU | CHRF, hypotheses: Sequence[str], references: list[list[str]]) -> None:
        self.metric = metric
        self.counts = np.array(metric._extract_corpus_statistics(list(hypotheses), references), dtype=float)

    def scores(self, weights: np.ndarray) -> np.ndarray:
        """Of the utterances, counted with weights (R, U): (R,)."""
        return np.array([self.metric._compute_score_from_stats(row).score for row in weights @ self.counts])


def _metrics() -> dict[str, BLEU | CHRF]:
    return {"bleu": BLEU(), "chrf": CHRF()}


def _check(references: Sequence[Sequence[str]], hypotheses: Sequence[str]) -> None:
    if not references or not hypotheses:
        raise MeritError("there are no translations to score; expected references and hypotheses")
    for texts in references:
        if len(texts) != len(hypotheses):
            raise MeritError(f"{len(hypotheses)} translations for {len(texts)} references; expected one for each")
