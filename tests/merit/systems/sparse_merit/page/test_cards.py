"""What a card says of an utterance."""

import math
from dataclasses import replace

import pytest

from merit.data.noise.mixed_names import parse_condition
from merit.systems.sparse_merit.page.cards import card, filters
from merit.systems.sparse_merit.page.examples import Example, Recognised, worst_examples


@pytest.fixture
def example(listened):
    (found, *_), _ = worst_examples(listened.experiment, listened.runs[1], 1)
    scores = {"SSNR": (-3.0, 1.5), "PESQ": (1.25, math.nan)}
    emotion = Recognised("angry", "happy <3", 0.625, 0.5)
    return replace(found, condition=parse_condition("test_wind_-5dB"), utterance="u&1", emotion=emotion, scores=scores)


def test_a_card_tells_emotion_scores_and_where_it_is_from(example):
    html = card(example, [("noisy", b"x", 1.0)])
    assert '<article class="example" data-model="sparse_merit-7" data-noise="wind" data-snr="-5">' in html
    assert "<h4>u&amp;1 <span>wind, \u22125 dB</span> <span>Sparse MERIT, seed 7</span></h4>" in html
    assert "true emotion <strong>angry</strong>" in html
    assert 'recognised <strong class="wrong">happy &lt;3</strong> (probability 0.62)' in html
    assert "SSNR \u22123.00 \u2192 1.50 dB" in html and "PESQ 1.25 \u2192 \u2013" in html


def test_what_is_right_is_not_marked_and_what_is_unknown_not_said(example: Example):
    html = card(replace(example, emotion=Recognised("sad", "sad", math.nan, 0.0)), [])
    assert "recognised <strong>sad</strong></span>" in html and "probability" not in html
    assert "emotion" not in card(replace(example, emotion=None), [])


def test_cards_are_chosen_by_what_differs(example):
    louder = replace(example, condition=parse_condition("test_wind_10dB"))
    html = filters([louder, example])
    assert html.count("<select") == 1 and "<label>SNR <select" in html
    assert '<option value="-5">\u22125 dB</option><option value="10">10 dB</option>' in html
