"""Devices and precision of a run: what cannot be one training is refused, float32 is float32."""

from dataclasses import replace

import pytest
import torch
from accelerate.state import AcceleratorState
from tiny_training import ONE_EPOCH, TRAINING, phase2

from merit.errors import MeritError
from merit.training.accelerator import make_accelerator


@pytest.fixture(autouse=True)
def fresh_state():
    """accelerate keeps device and precision for the life of a process."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.parametrize("gpus", [0, 1])
def test_processes_without_a_gpu_each_are_refused(monkeypatch, tmp_path, gpus):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("ACCELERATE_USE_CPU", raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(MeritError, match=f"2 processes were started for {gpus} GPUs; .*--ngpu"):
        make_accelerator(TRAINING, tmp_path)


def test_processes_that_do_not_know_of_each_other_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(MeritError, match=r"2 processes were started \(WORLD_SIZE\) and 1 would share the training"):
        make_accelerator(TRAINING, tmp_path)


def test_the_cpu_is_used_when_asked_for(monkeypatch, tmp_path):
    """As on a host with a GPU, which accelerate would choose; a second run must not be refused."""
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    monkeypatch.setattr("accelerate.state.PartialState.default_device", torch.device("meta"))
    assert [make_accelerator(TRAINING, tmp_path).device.type for _ in range(2)] == ["cpu", "cpu"]


def test_float32_on_a_gpu_is_not_tf32(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    make_accelerator(TRAINING, tmp_path)
    assert torch.backends.cudnn.allow_tf32 is False
    AcceleratorState._reset_state()
    make_accelerator(replace(TRAINING, precision="bfloat16"), tmp_path)
    assert torch.backends.cudnn.allow_tf32 is True


def test_float16_needs_a_gpu(corpus, tiny_encoder, tmp_path):
    with pytest.raises(MeritError, match="float16 is trained on GPUs alone"):
        phase2(corpus, tiny_encoder, tmp_path, training=replace(ONE_EPOCH, precision="float16"))


def test_processes_look_for_unused_parameters_where_there_are_some(tmp_path):
    assert make_accelerator(TRAINING, tmp_path).ddp_handler is None
    assert make_accelerator(TRAINING, tmp_path, unused_parameters=True).ddp_handler.find_unused_parameters
