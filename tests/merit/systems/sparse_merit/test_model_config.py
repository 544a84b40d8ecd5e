from typing import get_args, get_type_hints

from merit.nets.gate import GateWeight
from merit.systems.sparse_merit.model_config import TASKS, ModelConfig, Task


def test_options_offer_what_the_parts_know():
    """Written once more there, since the module of the gates needs PyTorch."""
    assert get_args(get_type_hints(ModelConfig)["gate_weight"]) == get_args(GateWeight)
    assert get_args(Task) == TASKS


def test_defaults_are_sparse_merit_as_the_paper_has_it():
    config = ModelConfig()
    assert (config.front_end, config.num_experts, config.top_k, config.gate_weight) == ("moe", 3, 1, "prob")
    assert config.tasks == ("emotion", "enhancement") and not config.shared_gate and config.num_shared_experts == 0
