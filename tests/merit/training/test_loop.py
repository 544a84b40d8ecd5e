"""Several runs of phase 1 on one forward pass: each must come out as it does alone."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from tiny_training import CLASSES, MODEL, ONE_EPOCH, TRAINING, assert_same, history, in_two_processes, phase2

from merit.data.audio import audio_digest
from merit.data.datadir import read_table, write_table
from merit.data.statistics import WaveformStatistics
from merit.errors import MeritError
from merit.nets.ssl import SpeechEncoder
from merit.systems.sparse_merit.phases import phase1
from merit.systems.sparse_merit.phases.phase1 import Head, phase1_trainer
from merit.systems.sparse_merit.training_options import MeritTraining
from merit.training.loop import Trainer
from merit.training.run import Run

SUM = replace(MODEL, front_end="weighted_sum")
ORDER = 5


def head(output, task="emotion", seed=3, model=SUM, **options):
    return Head(task, Path(output), model, replace(TRAINING, **options), seed)


def train(corpus, encoder, *heads):
    phase1_trainer(heads, corpus["train"], corpus["dev"], encoder, CLASSES, order_seed=ORDER).fit()


def result(output):
    return load_file(output / "model.safetensors"), history(output)


def recorded(monkeypatch):
    """Fill a dictionary with the utterances of every optimiser step of every run, by the name of its output."""
    steps: dict[str, list[list[str]]] = {}
    train_step = Run.train_step

    def recording(self, batches):
        steps.setdefault(self.output.name, []).append([key for batch in batches for key in batch.keys])
        return train_step(self, batches)

    monkeypatch.setattr(Run, "train_step", recording)
    return steps


def company(root):
    """Heads that differ in all that heads of equal batch size may differ in."""
    return [
        head(root / "ser3", epochs=3),
        head(root / "ser4", seed=4, epochs=1, learning_rate=3e-3),
        head(root / "se3", "enhancement", epochs=2, crop_seconds=0.2, gradient_clip=0.5),
        head(root / "se4", "enhancement", seed=4, epochs=2),
    ]


def test_every_run_comes_out_as_it_does_alone(corpus, tiny_encoder, tmp_path):
    train(corpus, tiny_encoder, *company(tmp_path / "together"))
    for one in company(tmp_path / "alone"):
        train(corpus, tiny_encoder, one)
        weights, rows = result(tmp_path / "together" / one.output.name)
        expected, expected_rows = result(one.output)
        assert_same(weights, expected, 0)
        assert rows == expected_rows


def test_each_batch_goes_through_the_encoder_once(corpus, tiny_encoder, tmp_path, monkeypatch):
    seen = []
    forward = SpeechEncoder.forward
    monkeypatch.setattr(
        SpeechEncoder, "forward", lambda self, wave, lengths: seen.append(len(lengths)) or forward(self, wave, lengths)
    )
    train(corpus, tiny_encoder, *company(tmp_path))
    assert sum(seen) == 3 * (12 + 5)  # as many epochs as the longest run has


def test_a_smaller_batch_size_takes_several_steps_from_a_chunk(corpus, tiny_encoder, tmp_path, monkeypatch):
    steps = recorded(monkeypatch)
    heads = [
        head(tmp_path / "ser", batch_size=8, epochs=2),
        head(tmp_path / "se", "enhancement", batch_size=4, epochs=2, micro_batch_size=3),
        head(tmp_path / "ser2", batch_size=2, epochs=2),
    ]
    train(corpus, tiny_encoder, *heads)
    for name, size in (("se", 4), ("ser2", 2)):
        assert steps[name] == [step[i : i + size] for step in steps["ser"] for i in range(0, len(step), size)]
    assert len(steps["ser"]) == 2 * 2 and len(steps["se"]) == 2 * 3 and len(steps["ser2"]) == 2 * 6
    state = torch.load(tmp_path / "se" / "last.pt", weights_only=True)
    assert state["epoch"] == 2 and max(float(of["step"]) for of in state["optimizer"]["state"].values()) == 6


def test_patience_ends_one_run_and_the_others_go_on(corpus, tiny_encoder, tmp_path):
    still = head(tmp_path / "still", patience=1, learning_rate=0.0, epochs=9)
    train(corpus, tiny_encoder, still, head(tmp_path / "moving", epochs=4))
    assert len(history(tmp_path / "still")) == 2
    assert len(history(tmp_path / "moving")) == 4


@pytest.mark.parametrize("stop", [1, 5])
def test_a_stopped_job_goes_on_though_its_runs_were_saved_at_different_steps(
    corpus, tiny_encoder, tmp_path, monkeypatch, stop
):
    """``stop`` is the step of the first run at which the job dies; three steps are an epoch."""

    def heads(root):
        often, seldom = {"checkpoint_minutes": 0.0}, {"checkpoint_minutes": 60.0}
        return [
            head(root / "ser", epochs=3, **seldom),
            head(root / "se", "enhancement", epochs=3, batch_size=2, crop_seconds=0.2, **often),
            head(root / "ser2", seed=9, epochs=2, **often),
        ]

    train(corpus, tiny_encoder, *heads(tmp_path / "whole"))
    train_step = Run.train_step
    count = 0

    def stopping(self, batches):
        nonlocal count
        if self.output.name == "ser":
            count += 1
            if count > stop:
                raise KeyboardInterrupt
        return train_step(self, batches)

    monkeypatch.setattr(Run, "train_step", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(corpus, tiny_encoder, *heads(tmp_path / "parts"))
    monkeypatch.setattr(Run, "train_step", train_step)
    train(corpus, tiny_encoder, *heads(tmp_path / "parts"))
    for one in heads(tmp_path / "parts"):
        weights, rows = result(one.output)
        expected, expected_rows = result(tmp_path / "whole" / one.output.name)
        assert_same(weights, expected, 0)
        assert rows == expected_rows


def test_another_seed_later_trains_that_one_alone(corpus, tiny_encoder, tmp_path, monkeypatch):
    first = [head(tmp_path / "ser3"), head(tmp_path / "se3", "enhancement")]
    train(corpus, tiny_encoder, *first)
    before = [result(one.output)[0] for one in first]
    steps = recorded(monkeypatch)
    train(corpus, tiny_encoder, *first, head(tmp_path / "ser4", seed=4))
    assert set(steps) == {"ser4"} and len(steps["ser4"]) == 2 * 3
    for one, weights in zip(first, before):
        assert_same(result(one.output)[0], weights, 0)


def test_two_processes_give_the_result_of_one(corpus, tiny_encoder, tmp_path, monkeypatch):
    in_two_processes("test_loop.train_three(corpus, encoder, output)", tmp_path / "two", corpus, tiny_encoder)
    monkeypatch.setattr(phase1, "STATES_TYPE", torch.float32)
    train_three(corpus, tiny_encoder, tmp_path / "one")
    for name in ("ser", "ser9", "se"):
        weights, rows = result(tmp_path / "two" / name)
        expected, expected_rows = result(tmp_path / "one" / name)
        assert_same(weights, expected, 1e-5)
        assert rows[-1] == pytest.approx(expected_rows[-1], rel=1e-5)


def train_three(corpus, encoder, root):
    """Three heads on float32 states, which rounding makes no different in two processes.

    Batches of 8 and 4 over 12 utterances: the last chunk is half a batch of the larger one.
    """
    phase1.STATES_TYPE = torch.float32
    model = replace(SUM, emotion_dropout=0.0)
    heads = [
        head(root / "ser", model=model, batch_size=8),
        head(root / "ser9", model=model, seed=9),
        head(root / "se", "enhancement", model=model),
    ]
    train(corpus, encoder, *heads)


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"batch_size": 3}, "training.batch_size is 3, 4 in runs that share their batches"),
        ({"precision": "bfloat16"}, "training.precision is float32 and bfloat16"),
        ({"batch_seconds": 2.0}, "training.batch_seconds is None and 2.0"),
        ({"micro_batch_seconds": 2.0}, "training.micro_batch_seconds is None and 2.0"),
    ],
)
def test_runs_that_do_not_fit_together_are_refused(corpus, tiny_encoder, tmp_path, options, reason):
    with pytest.raises(MeritError, match=reason):
        train(corpus, tiny_encoder, head(tmp_path / "one"), head(tmp_path / "two", seed=4, **options))


def test_two_runs_in_one_directory_are_refused(corpus, tiny_encoder, tmp_path):
    with pytest.raises(MeritError, match="the output of two heads"):
        train(corpus, tiny_encoder, head(tmp_path / "one"), head(tmp_path / "one", seed=4))


def test_steps_by_seconds_are_shared(corpus, tiny_encoder, tmp_path, monkeypatch):
    steps = recorded(monkeypatch)
    options = {"batch_seconds": 2.0, "micro_batch_seconds": 1.0}
    heads = [head(tmp_path / "ser", batch_size=3, **options), head(tmp_path / "se", "enhancement", **options)]
    train(corpus, tiny_encoder, *heads)
    assert steps["ser"] == steps["se"] and len(steps["ser"]) > 2 * 3


def test_batches_too_short_for_all_processes_are_refused():
    class Utterances:
        directory, shards, groups, collate = "data/train", None, None, list
        samples, seconds = [11 * 16000] * 6, [11.0] * 6

        def __len__(self):
            return len(self.samples)

    accelerator = SimpleNamespace(device=torch.device("cpu"), num_processes=2, process_index=0)
    run = SimpleNamespace(config=MeritTraining(batch_seconds=20.0, workers=0), accelerator=accelerator)
    with pytest.raises(MeritError, match=r"data/train: no batch of 20 s .* each of the 2 processes"):
        Trainer([run], Utterances(), Utterances(), order_seed=7)
    run.config.batch_seconds = 22.0
    Trainer([run], Utterances(), Utterances(), order_seed=7)


def test_error_of_a_worker_process_keeps_its_message_alone(corpus, tiny_encoder, tmp_path):
    directory = tmp_path / "train"
    directory.mkdir()
    for file in corpus["train"].iterdir():
        text = file.read_text()
        (directory / file.name).write_text(text)
    (tmp_path / "damaged.flac").write_bytes(b"no audio")
    wav = read_table(directory / "wav.scp") | {"train005": f"{tmp_path}/damaged.flac"}
    write_table(directory / "wav.scp", wav)
    WaveformStatistics(mean=0.0, std=0.2, samples=1).save(directory / "waveform_stats.json", audio=audio_digest(wav))
    with pytest.raises(MeritError, match=r"^train005: .*damaged.flac: cannot be decoded") as caught:
        phase2({**corpus, "train": directory}, tiny_encoder, tmp_path / "run", training=replace(ONE_EPOCH, workers=1))
    assert "Traceback" not in str(caught.value)


def test_seconds_bound_steps_and_micro_batches(corpus, tiny_encoder, tmp_path, monkeypatch):
    steps = []
    train_step = Run.train_step

    def recording(self, batches):
        steps.append([(len(batch.keys), batch.noisy.shape[1]) for batch in batches])
        return train_step(self, batches)

    monkeypatch.setattr(Run, "train_step", recording)
    training = replace(ONE_EPOCH, batch_seconds=2.0, micro_batch_seconds=0.95)
    phase2(corpus, tiny_encoder, tmp_path, training=training)
    assert sum(count for step in steps for count, _ in step) == 12
    for step in steps:
        assert sum(count for count, _ in step) * max(longest for _, longest in step) <= 2.0 * 16000
        assert all(count == 1 for count, _ in step)  # two do not fit into 0.95 s
    assert max(map(len, steps)) > 1


def test_micro_batches_by_seconds_change_nothing(corpus, tiny_encoder, tmp_path):
    model = replace(MODEL, front_end="weighted_sum", emotion_dropout=0.0)
    whole = phase2(corpus, tiny_encoder, tmp_path / "whole", model, replace(ONE_EPOCH, batch_seconds=3.0))
    training = replace(ONE_EPOCH, batch_seconds=3.0, micro_batch_seconds=1.5)
    assert_same(phase2(corpus, tiny_encoder, tmp_path / "parts", model, training), whole, 2e-5)
