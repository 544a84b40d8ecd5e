"""Small states to dump, for the tests of writing and of reading shards."""

import torch

HEADER = {"encoder": "wavlm", "fingerprint": "abc", "mean": 0.1, "std": 1 / 3, "num_states": 3, "hidden_size": 4}


def utterances(count: int, dtype: torch.dtype = torch.bfloat16) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {f"u{i:02d}": torch.randn(5 + i, 3, 4, generator=generator).to(dtype) for i in range(count)}
