"""Measuring leaves the number of threads as it was."""

import torch

from merit.nets.ssl import load_encoder
from merit.systems.distillation.speed import states_per_second


def test_one_core_for_the_measurement_alone(tiny_encoder):
    encoder, threads, seen = load_encoder(tiny_encoder), torch.get_num_threads(), []
    encoder.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
    torch.set_num_threads(2)
    try:
        assert states_per_second(encoder, "float32", batch=1, seconds=0.1, repeats=2) > 0
        assert seen == [1, 1, 1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
