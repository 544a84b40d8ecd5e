"""Decoding data directories: by the labels and against them."""

import json
from dataclasses import replace

import pytest
import torch
from small_smoe import make_set

from merit.csv_table import read_csv
from merit.data.audio import read_audio
from merit.data.datadir import read_table, write_table
from merit.errors import MeritError
from merit.systems.smoe.beam_search import BeamOptions
from merit.systems.smoe.log_mel_features import log_mel
from merit.systems.smoe.speech_decoding import (
    COLUMNS,
    Recogniser,
    decode_directories,
    decode_utterances,
    read_hypotheses,
)
from merit.systems.smoe.vocabulary import END

OPTIONS = BeamOptions(beam=2, tokens_per_frame=0.3, more_tokens=3)


@pytest.fixture
def recogniser(speech_model_directory):
    return Recogniser.load(speech_model_directory, "cpu", "float32", OPTIONS)


def test_every_utterance_comes_to_what_it_would_alone(recogniser, speech_corpus):
    data = speech_corpus["dev"]
    decoded, scores = decode_utterances(recogniser, data, "translate", batch_seconds=3.0)
    wav, bandwidths = read_table(data / "wav.scp"), read_table(data / "utt2bw")
    assert decoded.texts.keys() == scores.keys() == wav.keys()
    for key, entry in wav.items():
        features = log_mel(read_audio(entry, key), key)
        (alone,) = recogniser.texts([features], [["wide", "narrow"].index(bandwidths[key])], "translate")
        assert decoded.texts[key] == recogniser.vocabulary.decode(alone.tokens)
        assert scores[key] == pytest.approx(alone.score, abs=1e-4)


def test_the_ways_change_experts_and_tags(recogniser, speech_corpus, monkeypatch):
    asked = []
    texts = Recogniser.texts

    def listening(self, features, bandwidths, task, expert=None):
        asked.append((sorted(bandwidths), task, expert))
        return texts(self, features, bandwidths, task, expert)

    monkeypatch.setattr(Recogniser, "texts", listening)
    for way in ("given", "other_bandwidth", "other_expert", "other_tag"):
        decode_utterances(recogniser, speech_corpus["dev"], "transcribe", 100.0, way)
    assert asked == [
        ([0, 0, 0, 1, 1], "transcribe", None),
        ([0, 0, 1, 1, 1], "transcribe", None),
        ([0, 0, 0, 1, 1], "transcribe", 1),
        ([0, 0, 0, 1, 1], "translate", None),
    ]


def test_the_expert_that_is_named_computes_the_text(recogniser):
    torch.manual_seed(0)
    features = [torch.randn(90, 80)]
    (given,), (same,), (other,) = (recogniser.texts(features, [0], "translate", expert) for expert in (None, 1, 0))
    assert given == same and abs(given.score - other.score) > 1e-3


@pytest.mark.parametrize("task, language", [("transcribe", "en"), ("translate", "fr")])
def test_a_text_scores_what_the_model_gives_it_behind_the_tags_of_its_task(recogniser, task, language):
    torch.manual_seed(0)
    features = torch.randn(90, 80)
    (found,) = recogniser.texts([features], [1], task)
    prefix = recogniser.vocabulary.prefix(["transcribe", "translate"].index(task), language)
    tokens = torch.tensor([[*prefix, *found.tokens]])
    with torch.inference_mode():
        logits = recogniser.model(
            features[None], torch.tensor([90]), [1], tokens, torch.ones_like(tokens, dtype=torch.bool)
        ).logits[0, len(prefix) - 1 :]
    targets = torch.tensor([*found.tokens, END])
    score = logits.log_softmax(dim=-1).gather(1, targets[:, None]).mean()
    assert found.score == pytest.approx(float(score), abs=1e-4)


def test_texts_have_no_tags_and_none_is_longer_than_its_limit(recogniser):
    torch.manual_seed(0)
    for hypothesis in recogniser.texts([torch.randn(frames, 80) for frames in (90, 30)], [1, 0], "transcribe"):
        assert not {*hypothesis.tokens} & {0, 1, 2, *recogniser.vocabulary.tags}
    lengths = [
        len(h.tokens) for h in recogniser.texts([torch.randn(90, 80), torch.randn(30, 80)], [1, 0], "transcribe")
    ]
    assert lengths[0] <= 0.3 * 23 + 3 and lengths[1] <= 0.3 * 8 + 3


def test_a_text_is_one_line_whatever_the_model_prefers(recogniser):
    vocabulary = recogniser.vocabulary
    preferred = torch.tensor([100.0 * (vocabulary.decode([n]) in ("\0", "\n")) for n in range(vocabulary.size)])
    assert preferred.sum() == 200
    recogniser.model.text.output.register_forward_hook(lambda layer, states, logits: logits + preferred)
    (found,) = recogniser.texts([torch.ones(90, 80)], [0], "transcribe")
    assert not {"\0", "\n"} & {*vocabulary.decode(found.tokens)}


def test_tables_hold_texts_scores_time_and_memory(speech_model_directory, speech_corpus, tmp_path):
    decode_directories(
        speech_model_directory, [speech_corpus["dev"]], tmp_path, search=BeamOptions(beam=2), device="cpu"
    )
    for task in ("transcribe", "translate"):
        rows = read_csv(tmp_path / f"dev/{task}.csv", COLUMNS, "")
        assert [row["utterance"] for _, row in rows] == [f"dev00{number}" for number in range(5)]
        assert all(float(row["score"]) < 0 for _, row in rows)
        described = json.loads((tmp_path / f"dev/{task}.json").read_text())
        assert described["seconds"] > 0 and described["peak_memory_gb"] > 0.1 and described["search"]["beam"] == 2
        assert read_hypotheses(tmp_path / f"dev/{task}.csv").keys() == {f"dev00{number}" for number in range(5)}


def test_a_task_that_was_not_learnt_is_refused(recogniser):
    deaf = replace(recogniser, languages={"transcribe": "en"})
    with pytest.raises(MeritError, match="this model cannot translate; it has learnt to transcribe"):
        deaf.texts([torch.zeros(30, 80)], [0], "translate")


@pytest.mark.parametrize(
    "table, value, message",
    [
        ("utt2bw", "8k", "utt2bw: '8k' for utterance dev001; expected wide or narrow"),
        ("utt2dur", "61.5", "utterance dev001 of 61.50 s is longer than the model takes, 60 s; cut it at its pauses"),
    ],
)
def test_what_cannot_be_decoded_is_named_before_anything_is(recogniser, tmp_path, table, value, message):
    data = make_set(tmp_path, "dev", 3, 2)
    write_table(data / table, read_table(data / table) | {"dev001": value})
    (data / "wav.scp").write_text("".join(f"dev00{number} gone.wav\n" for number in range(3)))
    with pytest.raises(MeritError, match=message):
        decode_utterances(recogniser, data, "transcribe", 10.0)
