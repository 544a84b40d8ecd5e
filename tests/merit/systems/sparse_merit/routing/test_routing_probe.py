"""Overruled gates against the formulas, and scores against those of decoded files."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from merit.data.audio import read_audio, write_audio
from merit.data.datadir import read_table, write_data_directory
from merit.errors import MeritError
from merit.metrics.classification import classification_scores
from merit.metrics.enhancement.segmental_snr import segmental_snr
from merit.systems.sparse_merit.decoding import decode_conditions
from merit.systems.sparse_merit.inference import Merit
from merit.systems.sparse_merit.results.experiment import Run
from merit.systems.sparse_merit.routing.routing_override import RememberingEncoder, overrulable, reroute
from merit.systems.sparse_merit.routing.routing_probe import TABLE, probe_routing, probe_table, read_probe

EMOTIONS = ("angry", "happy", "neutral", "sad", "sad")


@pytest.fixture
def conditions(tmp_path, make_speech):
    """Two mixed data directories of five utterances of different length."""
    found = []
    for name, level in (("test_babble_0dB", 0.5), ("test_wind_5dB", 0.2)):
        tables = {"wav": {}, "clean": {}, "emotion": {}}
        for n, emotion in enumerate(EMOTIONS):
            clean = make_speech(0.4 + 0.1 * n, n)
            noisy = clean + level * make_speech(0.4 + 0.1 * n, 10 + n)
            for kind, samples in (("wav", noisy), ("clean", clean)):
                tables[kind][f"u{n}"] = tmp_path / name / f"{kind}{n}.flac"
                write_audio(tables[kind][f"u{n}"], samples)
            tables["emotion"][f"u{n}"] = emotion
        directory = tmp_path / "data" / name
        speakers = dict.fromkeys(tables["wav"], "speaker")
        clean = {"spk1.scp": tables["clean"]}
        write_data_directory(directory, tables["wav"], speakers, utt2emo=tables["emotion"], **clean)
        found.append(directory)
    return found


def probe(model, data, output):
    return probe_routing(model, data, output, batch_seconds=1.0, device="cpu", precision="float32")


def test_own_gates_give_the_scores_of_the_decoded_condition(model_directory, conditions, tmp_path):
    decode_conditions(model_directory, conditions, tmp_path / "decode", 1.0, "cpu", "float32")
    own = [row for row in probe(model_directory, conditions, tmp_path / TABLE) if row.gate == "own"]
    for row, data in zip(own, conditions, strict=True):
        decoded = tmp_path / "decode" / data.name
        reference, hypothesis = read_table(data / "utt2emo"), read_table(decoded / "utt2emo")
        expected = classification_scores(list(reference.values()), [hypothesis[utt] for utt in reference])
        assert (row.condition, row.f1_macro, row.f1_micro) == (data.name, expected.f1_macro, expected.f1_micro)
        clean, enhanced = read_table(data / "spk1.scp"), read_table(decoded / "wav.scp")
        ratios = [segmental_snr(read_audio(clean[utt], utt), read_audio(enhanced[utt], utt)) for utt in clean]
        assert row.ssnr == pytest.approx(np.mean(ratios), abs=1e-6)
        assert row.utterances == len(EMOTIONS)


def test_every_rule_has_a_row_in_every_condition(model_directory, conditions, tmp_path):
    rows = probe(model_directory, conditions, tmp_path / TABLE)
    rules = ["own", "other", "expert_0", "expert_1", "expert_2"]
    assert [(row.condition, row.gate) for row in rows] == [(data.name, rule) for data in conditions for rule in rules]
    assert len({row.ssnr for row in rows[:5]}) == 5
    assert read_probe(tmp_path / TABLE) == rows


@pytest.mark.parametrize("top_k", [1, 2, None])
def test_reroute_keeps_the_scale(top_k):
    probabilities = torch.softmax(torch.randn(7, 2, 4), dim=-1)
    kept = probabilities.topk(top_k or 4, dim=-1)
    weights = torch.zeros_like(probabilities).scatter(-1, kept.indices, kept.values)
    assert torch.equal(reroute(weights, "own"), weights)
    assert torch.equal(reroute(weights, "other")[:, 0], weights[:, 1])
    fixed = reroute(weights, "expert_2")
    assert torch.count_nonzero(fixed[..., [0, 1, 3]]) == 0
    assert torch.allclose(fixed[..., 2], kept.values.sum(dim=-1))


@pytest.mark.parametrize("options", [{}, {"top_k": 2}, {"num_shared_experts": 1}])
@pytest.mark.parametrize("rule", ["own", "other", "expert_1"])
def test_representations_follow_the_formulas(save_model, rule, options):
    model = overrulable(Merit.from_pretrained(save_model(**options), "cpu"), "model").model
    original = model.front_end.front_end
    states, mask = torch.randn(1, 9, 3, 16), torch.ones(1, 9, dtype=torch.bool)
    model.front_end.rule = rule
    with torch.no_grad():
        found, _ = model.front_end(states, mask)
        norm = original.norm
        x = torch.cat(
            [functional.layer_norm(states[0, :, n], (16,)) * norm.weight[n] + norm.bias[n] for n in range(3)], 1
        )
        for task, other in (("emotion", "enhancement"), ("enhancement", "emotion")):
            gate = original.gates[other if rule == "other" else task]
            probabilities = torch.softmax(gate.projection(x), dim=-1)
            for t in range(9):
                order = probabilities[t].argsort(descending=True)[: options.get("top_k", 1)].tolist()
                weight = {n: probabilities[t, n] for n in order}
                if rule == "expert_1":
                    weight = {1: sum(weight.values())}
                expected = sum(w * original.experts[n](x[t]) for n, w in weight.items())
                expected = expected + sum(expert(x[t]) for expert in original.shared_experts)
                assert torch.allclose(found[task][0, t], expected, atol=1e-5)


def test_padding_changes_nothing(model_directory):
    model = overrulable(Merit.from_pretrained(model_directory, "cpu"), "model").model
    states, mask = torch.randn(2, 6, 3, 16), torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    with torch.no_grad():
        together, _ = model.front_end(states, mask)
        alone, _ = model.front_end(states[1:, :4], mask[1:, :4])
    assert torch.allclose(together["emotion"][1, :4], alone["emotion"][0], atol=1e-6)
    assert torch.count_nonzero(together["emotion"][1, 4:]) == 0


def test_the_encoder_runs_once_a_batch_and_long_signals_go_in_pieces(model_directory, make_speech, monkeypatch):
    samples = make_speech(4.5)
    expected = Merit.from_pretrained(model_directory, "cpu", "float32", piece_seconds=2.0)(samples, 16000)
    merit = overrulable(Merit.from_pretrained(model_directory, "cpu", "float32", piece_seconds=2.0), "model")
    calls = []
    encode = merit.model.encoder.encoder.forward
    monkeypatch.setattr(
        merit.model.encoder.encoder, "forward", lambda *inputs: calls.append(len(inputs[0])) or encode(*inputs)
    )
    for rule in merit.model.front_end.rules:
        merit.model.front_end.rule = rule
        found = merit(samples, 16000)
        if rule == "own":
            assert np.array_equal(found.enhanced, expected.enhanced) and found.emotion == expected.emotion
        else:
            assert not np.array_equal(found.enhanced, expected.enhanced)
    assert len(calls) == 4  # pieces
    merit.model.encoder.forget()
    merit(samples, 16000)
    assert len(calls) == 8


def test_one_gate_for_both_tasks_has_no_other(save_model, conditions, tmp_path):
    rows = probe(save_model(shared_gate=True), conditions[:1], tmp_path / TABLE)
    assert rows[0].gate == "own" and rows[1].gate == "other"
    assert (rows[0].f1_macro, rows[0].ssnr) == (rows[1].f1_macro, rows[1].ssnr)


def test_what_was_probed_is_not_probed_again(model_directory, conditions, tmp_path, monkeypatch):
    output = tmp_path / TABLE
    first = probe(model_directory, conditions[:1], output)

    loaded = []
    load = Merit.from_pretrained.__func__
    monkeypatch.setattr(
        Merit, "from_pretrained", classmethod(lambda cls, *a, **o: loaded.append(a) or load(cls, *a, **o))
    )
    output.unlink()
    assert probe(model_directory, conditions[:1], output) == first == read_probe(output)
    assert not loaded
    both = probe(model_directory, conditions, output)
    assert len(loaded) == 1 and both[:5] == first and len(both) == 10

    changed = read_table(conditions[0] / "utt2emo") | {"u0": "sad"}
    (conditions[0] / "utt2emo").write_text("".join(f"{key} {value}\n" for key, value in changed.items()))
    again = probe(model_directory, conditions, output)
    assert len(loaded) == 2 and again[5:] == both[5:] and again[:5] != first


def test_the_probe_is_made_in_the_precision_of_the_decoding(save_model, conditions, tmp_path):
    model = save_model(precision="bfloat16")

    def auto(precision="auto"):
        return probe_routing(model, conditions[:1], tmp_path / TABLE, 1.0, "cpu", precision)

    trained = auto()
    decode_conditions(model, conditions[:1], tmp_path / "decode", 1.0, "cpu", "auto")
    clean = read_table(conditions[0] / "spk1.scp")
    enhanced = read_table(tmp_path / "decode" / conditions[0].name / "wav.scp")
    ratios = [segmental_snr(read_audio(clean[utt], utt), read_audio(enhanced[utt], utt)) for utt in clean]
    assert trained[0].ssnr == pytest.approx(np.mean(ratios), abs=1e-6)
    assert auto("float32")[0].ssnr != trained[0].ssnr
    assert auto() == trained


@pytest.mark.parametrize("options", [{"front_end": "weighted_sum"}, {"num_experts": 1}])
def test_without_a_choice_there_is_nothing_to_probe(save_model, conditions, tmp_path, options):
    assert probe(save_model(**options), conditions, tmp_path / TABLE) == []
    assert read_probe(tmp_path / TABLE) == []
    assert probe_table([Run("m", 7, tmp_path)]) is None


def test_what_is_missing_is_named(save_model, tmp_path):
    with pytest.raises(MeritError, match="no model.safetensors"):
        probe(tmp_path, [], tmp_path / TABLE)
    with pytest.raises(MeritError, match="probe the routing first"):
        read_probe(tmp_path / TABLE)
    (tmp_path / TABLE).write_text("a,b\n")
    with pytest.raises(MeritError, match="other columns"):
        read_probe(tmp_path / TABLE)
    with pytest.raises(MeritError, match="no gate to overrule"):
        overrulable(Merit.from_pretrained(save_model(front_end="weighted_sum"), "cpu"), "model")


def test_states_are_told_apart_by_lengths_too():
    class Encoder(torch.nn.Module):
        maximum_samples = None

        def forward(self, waveform, lengths):
            return waveform * 2, lengths

    encoder = RememberingEncoder(Encoder())
    waveform = torch.zeros(1, 5)
    assert encoder(waveform, torch.tensor([5]))[1].item() == 5
    assert encoder(waveform, torch.tensor([4]))[1].item() == 4
