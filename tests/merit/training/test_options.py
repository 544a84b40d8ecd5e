"""Options of a training run that no other test touches: each must do what its description says."""

from dataclasses import replace

import pytest
import torch
from accelerate.state import AcceleratorState
from tiny_training import MODEL, TRAINING, assert_same, history, phase2

from merit.bin.sparse_merit.train_joint import train_joint
from merit.command import run_command
from merit.data.audio import audio_digest
from merit.data.datadir import read_table, write_table
from merit.data.statistics import WaveformStatistics
from merit.errors import MeritError
from merit.nets.ssl import SpeechEncoder
from merit.training.evaluation import Evaluation
from merit.training.run import Run

ONE_EPOCH = replace(TRAINING, epochs=1)


def test_gradient_checkpointing_changes_nothing(corpus, tiny_encoder, tmp_path):
    kept = phase2(corpus, tiny_encoder, tmp_path / "kept", training=ONE_EPOCH)
    again = phase2(corpus, tiny_encoder, tmp_path / "again", training=replace(ONE_EPOCH, gradient_checkpointing=True))
    assert_same(again, kept, 1e-6)


def test_compiled_layers_learn_the_same(corpus, tiny_encoder, tmp_path, monkeypatch):
    compiled = []
    compile_layers = SpeechEncoder.compile_layers

    def without_a_compiler(encoder):
        compiled.append(encoder)
        compile_layers(encoder, backend="aot_eager")

    monkeypatch.setattr(SpeechEncoder, "compile_layers", without_a_compiler)
    plain = phase2(corpus, tiny_encoder, tmp_path / "plain", training=ONE_EPOCH)
    assert not compiled
    same = phase2(corpus, tiny_encoder, tmp_path / "compiled", training=replace(ONE_EPOCH, compile=True))
    assert len(compiled) == 1
    assert_same(same, plain, 1e-5)


def test_bfloat16_is_close_to_float32(corpus, tiny_encoder, tmp_path):
    rows = []
    for precision in ("float32", "bfloat16"):
        AcceleratorState._reset_state()  # accelerate keeps one precision for the life of a process
        phase2(corpus, tiny_encoder, tmp_path / precision, training=replace(ONE_EPOCH, precision=precision))
        rows.append(history(tmp_path / precision)[0])
    AcceleratorState._reset_state()
    for name in ("train_emotion", "train_enhancement", "dev_criterion"):
        assert rows[0][name] == pytest.approx(rows[1][name], rel=0.05)
        assert rows[0][name] != rows[1][name]


def test_balancing_loss_is_trained_and_no_part_of_the_criterion(corpus, tiny_encoder, tmp_path):
    phase2(corpus, tiny_encoder, tmp_path, training=replace(ONE_EPOCH, balancing_weight=0.01))
    row = history(tmp_path)[0]
    # Two gates over three experts: between 2 (even) and 6 (one expert takes all).
    assert 1.9 < row["train_balancing"] < 6 and 1.9 < row["dev_balancing"] < 6
    assert row["dev_criterion"] == pytest.approx(row["dev_emotion"] + row["dev_enhancement"])


def test_a_shared_gate_pays_the_balancing_loss_once(corpus, tiny_encoder, tmp_path):
    still = replace(ONE_EPOCH, balancing_weight=0.01, learning_rate=0.0, encoder_learning_rate=0.0)
    rows = []
    for shared in (True, False):
        phase2(corpus, tiny_encoder, tmp_path / str(shared), replace(MODEL, shared_gate=shared), still)
        rows.append(history(tmp_path / str(shared))[0])
    # A new gate uses its three experts about evenly, which is a loss of 1 for each gate.
    for part in ("train_balancing", "dev_balancing"):
        assert rows[0][part] == pytest.approx(1, abs=0.3) and rows[1][part] == pytest.approx(2, abs=0.6)


def test_loss_weights_choose_what_is_learned(corpus, tiny_encoder, tmp_path):
    training = replace(ONE_EPOCH, emotion_weight=0.0, enhancement_weight=2.0, weight_decay=0.0)
    start = phase2(corpus, tiny_encoder, tmp_path / "start", training=replace(ONE_EPOCH, learning_rate=0.0))
    weights = phase2(corpus, tiny_encoder, tmp_path / "run", training=training)
    moved = {
        task: any(not torch.equal(weights[name], start[name]) for name in weights if name.startswith(f"{task}_head."))
        for task in ("emotion", "enhancement")
    }
    assert moved == {"emotion": False, "enhancement": True}
    row = history(tmp_path / "run")[0]
    assert row["dev_criterion"] == pytest.approx(2 * row["dev_enhancement"])


def test_gradients_are_clipped_over_all_parameters(corpus, tiny_encoder, tmp_path, monkeypatch):
    norms = []
    step = torch.optim.AdamW.step

    def recording(self, *arguments, **options):
        gradients = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        norms.append(float(torch.cat([gradient.flatten() for gradient in gradients]).norm()))
        return step(self, *arguments, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", recording)
    phase2(corpus, tiny_encoder, tmp_path / "free", training=ONE_EPOCH)
    assert min(norms) > 0.01
    norms.clear()
    phase2(corpus, tiny_encoder, tmp_path / "clipped", training=replace(ONE_EPOCH, gradient_clip=0.01))
    assert norms == pytest.approx([0.01] * len(norms), rel=1e-3)


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


def test_float16_needs_a_gpu(corpus, tiny_encoder, tmp_path):
    with pytest.raises(MeritError, match="float16 is trained on GPUs alone"):
        phase2(corpus, tiny_encoder, tmp_path, training=replace(ONE_EPOCH, precision="float16"))


def test_dev_criterion_that_is_not_finite_is_an_error(corpus, tiny_encoder, tmp_path, monkeypatch):
    step = torch.optim.AdamW.step

    def breaking(self, *arguments, **options):
        step(self, *arguments, **options)
        self.param_groups[-1]["params"][-1].data.fill_(torch.nan)

    monkeypatch.setattr(torch.optim.AdamW, "step", breaking)
    with pytest.raises(MeritError, match="the dev criterion is nan after epoch 1"):
        phase2(corpus, tiny_encoder, tmp_path, training=replace(ONE_EPOCH, batch_size=12))
    assert not (tmp_path / "model.safetensors").exists()


def test_crops_are_refused_in_phase_2(corpus, tiny_encoder, tmp_path):
    with pytest.raises(MeritError, match="crops are for phase 1"):
        phase2(corpus, tiny_encoder, tmp_path, MODEL, replace(ONE_EPOCH, crop_seconds=1.28))


@pytest.mark.parametrize("option", ["--training.epoch", "--training.epocks", "--model.num"])
def test_mistyped_and_half_typed_options_are_refused(option, monkeypatch, capsys):
    arguments = ["--train", "a", "--dev", "b", "--ssl", "c", "--output", "d", "--classes", "[x,y]", option, "3"]
    monkeypatch.setattr("sys.argv", ["train_joint", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_command(train_joint)
    assert ended.value.code == 2 and option in capsys.readouterr().err


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


@pytest.mark.parametrize("name", ["epochs", "batch_size", "micro_batch_size"])
def test_nothing_to_do_is_refused(name):
    with pytest.raises(MeritError, match=f"training.{name} is 0"):
        replace(TRAINING, **{name: 0})


@pytest.mark.parametrize("name", ["batch_seconds", "micro_batch_seconds"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_batches_without_audio_are_refused(name, value):
    with pytest.raises(MeritError, match=f"training.{name} is {value:g}; it must be above 0"):
        replace(TRAINING, **{name: value})


@pytest.mark.parametrize(
    "keep, select, is_last", [("best", "losses", False), ("best", "scores", True), ("last", "losses", True)]
)
def test_weights_of_the_epoch_asked_for_are_kept(
    corpus, tiny_encoder, tmp_path, monkeypatch, caplog, keep, select, is_last
):
    """By its loss the first epoch is better, by its score the second, as overconfidence makes it."""
    found = iter([{"criterion": 1.0, "score": 0.3}, {"criterion": 2.0, "score": 0.4}])
    monkeypatch.setattr(Evaluation, "result", lambda self: (next(found), {}))
    caplog.set_level("INFO")
    weights = phase2(corpus, tiny_encoder, tmp_path, training=replace(TRAINING, keep=keep, select=select))
    last = torch.load(tmp_path / "last.pt", weights_only=True)["model"]
    assert all(torch.equal(value, last[name]) for name, value in weights.items()) == is_last
    assert ("best epoch 1, dev_criterion 1.0" if select == "losses" else "best epoch 2, dev_score 0.4") in caplog.text


def test_patience_goes_by_what_selects(corpus, tiny_encoder, tmp_path, monkeypatch):
    for select, epochs in (("losses", 3), ("scores", 5)):
        found = iter([{"criterion": float(n), "score": min(n, 3) / 9} for n in range(1, 10)])
        monkeypatch.setattr(Evaluation, "result", lambda self, found=found: (next(found), {}))
        training = replace(TRAINING, epochs=9, patience=2, select=select)
        phase2(corpus, tiny_encoder, tmp_path / select, training=training)
        assert len(history(tmp_path / select)) == epochs


def test_routing_that_collapses_is_said_when_it_begins_and_at_the_end(
    corpus, tiny_encoder, tmp_path, monkeypatch, caplog
):
    healthy = {"usage_emotion": torch.tensor([40, 30, 30]), "frames": torch.tensor([100])}
    collapsed = {"usage_emotion": torch.tensor([98, 1, 1]), "frames": torch.tensor([100])}
    found = iter([healthy, collapsed, collapsed, collapsed])
    monkeypatch.setattr(Evaluation, "result", lambda self: ({"criterion": 1.0, "score": 0.5}, next(found)))
    phase2(corpus, tiny_encoder, tmp_path, training=replace(TRAINING, epochs=4))
    first, last = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    what = "the emotion gate sends 98.0% of the frames to expert 0; the emotion gate gives less than 5%"
    assert f"from epoch 2 on {what}" in first
    assert f"after the last epoch {what}" in last
