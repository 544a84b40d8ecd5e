"""Training a student: it learns, goes on where it was killed, and is refused what is another run."""

import json
from dataclasses import replace

import pytest
import torch
from made_teacher import LOG_MEL, TRAINING, WAVLM, teach
from safetensors.torch import load_file
from tiny_training import assert_same, history
from transformers import WavLMConfig, WavLMModel

from merit.errors import MeritError
from merit.systems.distillation.noisy_examples import find_corpora
from merit.systems.distillation.training import StudentConfig, train_student


def test_it_learns(train, tmp_path):
    rows = history(train(tmp_path / "run", training=replace(TRAINING, epochs=8)))
    assert rows[-1]["dev_loss"] < 0.95 * rows[0]["dev_loss"]
    assert rows[-1]["dev_loss"] == pytest.approx(sum(rows[-1][f"dev_{name}"] for name in ("l1", "cosine", "mean")))


def test_a_waveform_student_learns_its_convolutions(train, tmp_path):
    one, two = (
        load_file(
            train(tmp_path / f"{epochs}", StudentConfig(WAVLM, {2: 1}), replace(TRAINING, epochs=epochs))
            / "model.safetensors"
        )
        for epochs in (1, 2)
    )
    name = "encoder.model.feature_extractor.conv_layers.0.conv.weight"
    assert not torch.equal(one[name], two[name])


def test_a_run_goes_on_where_it_was(train, student_run, tmp_path, monkeypatch):
    from merit.training.run import Run

    end_epoch = Run.end_epoch

    def killed(self, evaluation):
        end_epoch(self, evaluation)
        if self.epoch == 1:
            raise KeyboardInterrupt

    output = tmp_path / "run"
    monkeypatch.setattr(Run, "end_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        train(output)
    monkeypatch.undo()
    train(output)
    assert_same(load_file(output / "model.safetensors"), load_file(student_run / "model.safetensors"), 0)
    assert history(output) == history(student_run)


def test_what_it_was_trained_with_is_written_down(student_run):
    config = json.loads((student_run / "config.json").read_text())
    assert config["description"]["teacher"]["num_states"] == 3
    assert config["description"]["encoder"]["d_model"] == 16
    assert [*config["run"]["mixing"].values()][0]["noises"].keys() == {"hum", "babble"}


def test_another_student_is_refused(train, student_run):
    with pytest.raises(MeritError, match="layers"):
        train(student_run, replace(LOG_MEL, layers={1: 2, 2: 1}))


def test_one_teacher(taught, corpus, tmp_path):
    torch.manual_seed(1)
    settings = {name: value for name, value in WAVLM.items() if name != "model_type"}
    WavLMModel(WavLMConfig(**settings)).save_pretrained(tmp_path / "teacher")
    other = teach(corpus["dev"], str(tmp_path / "teacher"), tmp_path, online=True)
    found = [find_corpora([one.noisy], [one.states]) for one in (taught["train"], other)]
    with pytest.raises(MeritError, match="of another teacher"):
        train_student(*found, LOG_MEL, TRAINING, tmp_path / "run", 3)
