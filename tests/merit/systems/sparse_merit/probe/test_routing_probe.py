"""Overruled gates against the formulas, and scores against those of decoded files."""

import numpy as np
import pytest

from merit.data.audio import read_audio, write_audio
from merit.data.datadir import read_table, write_data_directory
from merit.errors import MeritError
from merit.metrics.classification import classification_scores
from merit.metrics.enhancement.segmental_snr import segmental_snr
from merit.systems.sparse_merit.decoding import decode_conditions
from merit.systems.sparse_merit.inference import Merit
from merit.systems.sparse_merit.probe.routing_probe import probe_routing
from merit.systems.sparse_merit.results.probe_scores import read_probe
from merit.systems.sparse_merit.results.run_files import PROBE_TABLE

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
    own = [row for row in probe(model_directory, conditions, tmp_path / PROBE_TABLE) if row.gate == "own"]
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
    rows = probe(model_directory, conditions, tmp_path / PROBE_TABLE)
    rules = ["own", "other", "expert_0", "expert_1", "expert_2"]
    assert [(row.condition, row.gate) for row in rows] == [(data.name, rule) for data in conditions for rule in rules]
    assert len({row.ssnr for row in rows[:5]}) == 5
    assert read_probe(tmp_path / PROBE_TABLE) == rows


def test_one_gate_for_both_tasks_has_no_other(save_model, conditions, tmp_path):
    rows = probe(save_model(shared_gate=True), conditions[:1], tmp_path / PROBE_TABLE)
    assert rows[0].gate == "own" and rows[1].gate == "other"
    assert (rows[0].f1_macro, rows[0].ssnr) == (rows[1].f1_macro, rows[1].ssnr)


def test_what_was_probed_is_not_probed_again(model_directory, conditions, tmp_path, monkeypatch):
    output = tmp_path / PROBE_TABLE
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
        return probe_routing(model, conditions[:1], tmp_path / PROBE_TABLE, 1.0, "cpu", precision)

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
    assert probe(save_model(**options), conditions, tmp_path / PROBE_TABLE) == []
    assert read_probe(tmp_path / PROBE_TABLE) == []


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(MeritError, match="no model.safetensors"):
        probe(tmp_path, [], tmp_path / PROBE_TABLE)
