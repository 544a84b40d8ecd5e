"""Batched beam search with the keys and values of earlier tokens kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

import torch
from torch import Tensor

from merit.systems.smoe.speech_encoder import Memory
from merit.systems.smoe.text_decoder import Decoder
from merit.systems.smoe.vocabulary import END


@dataclass(frozen=True)
class BeamOptions:
    """How texts are searched.

    Attributes:
        beam: hypotheses of an utterance at a time, and finished ones after which its search ends.
        length_power: a finished hypothesis scores its log-probability divided by its tokens, the end included, to this
            power; 0 leaves it.
        tokens_per_frame: longest text, in tokens for each frame of the encoder (40 ms) ...
        more_tokens: ... and so many more.
    """

    beam: int = 5
    length_power: float = 1.0
    tokens_per_frame: float = 1.0
    more_tokens: int = 10

    def limits(self, memory: Memory, room: int) -> list[int]:
        """Longest text of each utterance in tokens, the end included, at most ``room``."""
        return [min(room, int(self.tokens_per_frame * frames) + self.more_tokens) for frames in memory.lengths.tolist()]


USUAL_SEARCH = BeamOptions()
"""What decoding takes when nothing is said."""


class Hypothesis(NamedTuple):
    """A finished text.

    Attributes:
        tokens: without prefix and end.
        score: log-probability of tokens and end, normalised by length.
    """

    tokens: list[int]
    score: float


class _Token(NamedTuple):
    """A token of a hypothesis and what stands before it; hypotheses share their beginnings."""

    number: int
    before: Optional["_Token"]


@dataclass
class _Search:
    """One utterance: its place in the batch, its limit, its living hypotheses, best first, and its finished ones."""

    place: int
    limit: int
    living: list[_Token | None] = field(default_factory=lambda: [None])
    finished: list[Hypothesis] = field(default_factory=list)


def beam_search(
    decoder: Decoder,
    memory: Memory,
    prefix: Sequence[int],
    expert: int,
    forbidden: Sequence[int],
    options: BeamOptions = USUAL_SEARCH,
) -> list[list[Hypothesis]]:
    """Search the texts of a batch; each utterance comes to what it would alone.

    In each step the ``2 * beam`` best continuations of an utterance are looked at: those of the best ``beam`` that end
    are finished, the best ``beam`` of those that do not end live on. At its limit every hypothesis ends.

    Args:
        decoder: of the model, in evaluation mode.
        memory: what the encoder made of the batch.
        prefix: start and tags that every text begins with.
        expert: number of the expert.
        forbidden: tokens that no text has.
        options: of the search.

    Returns:
        For each utterance its finished hypotheses, the best first.
    """
    device = memory.states.device
    room = decoder.config.max_tokens - len(prefix)
    searches = [_Search(place, limit) for place, limit in enumerate(options.limits(memory, room))]
    found: list[list[Hypothesis]] = [[] for _ in searches]
    state = decoder.start(memory, expert)
    for token in prefix:
        logits = decoder.step(torch.full((len(searches),), token, device=device), state)
    never = torch.tensor(list(forbidden), dtype=torch.long, device=device)
    scores = torch.zeros(len(searches), 1, device=device)
    length = 0
    while True:
        length += 1
        values = _continuations(logits, scores, never, [search.limit for search in searches], length)
        best, order = values.topk(min(2 * options.beam, values.shape[1]), dim=1)
        size = logits.shape[1]
        chosen = (best.tolist(), (order // size).tolist(), (order % size).tolist())
        rows, new_tokens, new_scores, left = [], [], [], []
        for number, (search, *candidates) in enumerate(zip(searches, *chosen)):
            going_on = _sort_out(search, list(zip(*candidates)), options, length)
            if going_on:
                left.append(number)
                rows += [number * scores.shape[1] + parent for _, parent, _ in going_on]
                new_tokens += [token for *_, token in going_on]
                new_scores.append([score for score, *_ in going_on])
            else:
                found[search.place] = sorted(search.finished, key=lambda hypothesis: -hypothesis.score)
        if not left:
            return found
        # Every utterance has as many living hypotheses as the others; some may be impossible, with a score of -inf.
        everybody = len(left) == len(searches)
        searches = [searches[number] for number in left]
        state.reorder(torch.tensor(rows, device=device), None if everybody else torch.tensor(left, device=device))
        scores = torch.tensor(new_scores, device=device)
        logits = decoder.step(torch.tensor(new_tokens, device=device), state)


def _continuations(logits: Tensor, scores: Tensor, never: Tensor, limits: Sequence[int], length: int) -> Tensor:
    """Scores (B, H * V) of all continuations of the H hypotheses of each utterance, hypothesis by hypothesis."""
    values = logits.float().log_softmax(dim=-1).index_fill(1, never, -torch.inf)
    values = values.view(*scores.shape, -1)
    if length >= min(limits):
        ends = torch.tensor([length >= limit for limit in limits], device=values.device)
        others = torch.arange(values.shape[-1], device=values.device) != END
        values = values.masked_fill(ends[:, None, None] & others, -torch.inf)
    return (scores.unsqueeze(-1) + values).flatten(1)


def _sort_out(
    search: _Search, candidates: Sequence[tuple[float, int, int]], options: BeamOptions, length: int
) -> list[tuple[float, int, int]]:
    """Finish what ends; gives the continuations that live on, none when the search is at its end.

    Args:
        search: is brought up to date.
        candidates: score, parent and token, best first.
        options: of the search.
        length: of the hypotheses with these tokens.
    """
    going_on = []
    for rank, (score, parent, token) in enumerate(candidates):
        if token == END:
            if rank < options.beam and score > -torch.inf:
                text = _text(search.living[parent])
                search.finished.append(Hypothesis(text, score / length**options.length_power))
        elif len(going_on) < options.beam:
            going_on.append((score, parent, token))
    if len(search.finished) >= options.beam or length >= search.limit:
        return []
    search.living = [_Token(token, search.living[parent]) for _, parent, token in going_on]
    return going_on


def _text(token: _Token | None) -> list[int]:
    numbers = []
    while token is not None:
        numbers.append(token.number)
        token = token.before
    return numbers[::-1]
