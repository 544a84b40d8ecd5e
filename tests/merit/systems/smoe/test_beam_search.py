"""Beam search: against all texts there are, against a plain search without kept keys, and in batches."""

import itertools

import pytest
import torch
from small_smoe import TINY

from merit.systems.smoe.beam_search import BeamOptions, beam_search
from merit.systems.smoe.speech_encoder import Memory
from merit.systems.smoe.text_decoder import Decoder
from merit.systems.smoe.vocabulary import END

PREFIX = [1, 3, 5]
FORBIDDEN = [0, 1, 3, 4, 5]
SIZE = 9  # so that texts are made of 6, 7, 8 and the end, 2
LETTERS = (6, 7, 8)


@pytest.fixture
def decoder():
    torch.manual_seed(3)
    return Decoder(TINY, SIZE).double().eval()


def memory_of(lengths):
    states = torch.randn(len(lengths), max(lengths), TINY.size, dtype=torch.float64)
    return Memory(states, torch.tensor(lengths), torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1), [])


def one_of(memory, number):
    """An utterance of a batch alone, without its padding."""
    length, here = int(memory.lengths[number]), slice(number, number + 1)
    return Memory(memory.states[here, :length], memory.lengths[here], memory.mask[here, :length], [])


@torch.no_grad()
def log_probabilities(decoder, memory, text):
    """Of each next token after the prefix and a text, from the whole text at once."""
    tokens = torch.tensor([[*PREFIX, *text]])
    logits, _ = decoder(tokens, memory, 1, torch.ones_like(tokens, dtype=torch.bool))
    return logits[0, -1].log_softmax(dim=-1)


def score(decoder, memory, text, power):
    """Of a finished text."""
    values = [log_probabilities(decoder, memory, text[:place])[token] for place, token in enumerate([*text, END])]
    return float(sum(values)) / (len(text) + 1) ** power


def plain_search(decoder, memory, beam, power, limit):
    """The same search of one utterance, with lists and without anything kept."""
    living, finished = [(0.0, [])], []
    for length in range(1, limit + 1):
        candidates = []
        for total, text in living:
            values = log_probabilities(decoder, memory, text)
            allowed = [END] if length == limit else [END, *LETTERS]
            candidates += [(total + float(values[token]), text, token) for token in allowed]
        candidates = sorted(candidates, key=lambda candidate: -candidate[0])[: 2 * beam]
        ends = [(total / length**power, text) for total, text, token in candidates[:beam] if token == END]
        finished += ends
        living = [(total, [*text, token]) for total, text, token in candidates if token != END][:beam]
        if len(finished) >= beam:
            break
    return sorted(finished, key=lambda pair: -pair[0])


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_a_beam_as_wide_as_the_tree_finds_the_best_text(decoder, power):
    memory = memory_of([4])
    options = BeamOptions(beam=200, length_power=power, tokens_per_frame=0, more_tokens=4)
    best, *_ = beam_search(decoder, memory, PREFIX, 1, FORBIDDEN, options)[0]
    texts = [list(text) for length in range(4) for text in itertools.product(LETTERS, repeat=length)]
    scores = {tuple(text): score(decoder, memory, text, power) for text in texts}
    assert tuple(best.tokens) == max(scores, key=scores.get)
    assert best.score == pytest.approx(max(scores.values()), abs=1e-5)


@pytest.mark.parametrize("beam", [1, 2, 3])
def test_utterances_of_a_batch_come_to_what_a_plain_search_finds(decoder, beam):
    memory = memory_of([7, 3, 5])
    options = BeamOptions(beam=beam, length_power=0.7, tokens_per_frame=1.0, more_tokens=2)
    found = beam_search(decoder, memory, PREFIX, 1, FORBIDDEN, options)
    for number, hypotheses in enumerate(found):
        limit = int(memory.lengths[number]) + 2
        expected = plain_search(decoder, one_of(memory, number), beam, 0.7, limit)
        assert [hypothesis.tokens for hypothesis in hypotheses] == [text for _, text in expected]
        for hypothesis, (value, _) in zip(hypotheses, expected):
            assert hypothesis.score == pytest.approx(value, abs=1e-5)


def test_a_text_ends_at_its_limit_and_at_that_of_the_model(decoder):
    memory = memory_of([30, 2])
    with torch.no_grad():
        decoder.norm.weight.zero_()  # all tokens alike, but the end, which never comes of itself
        decoder.norm.bias.fill_(1.0)
        decoder.output.weight[END].fill_(-10.0)
    found = beam_search(decoder, memory, PREFIX, 0, FORBIDDEN, BeamOptions(beam=2, tokens_per_frame=2, more_tokens=1))
    assert [len(hypotheses[0].tokens) for hypotheses in found] == [TINY.max_tokens - len(PREFIX) - 1, 4]
