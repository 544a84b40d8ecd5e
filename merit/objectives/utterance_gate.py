"""What a dense gate over utterances is trained for beside its task: use every expert, and few for each utterance.

MoE-MOS (arXiv 2507.06116) names a diversity and a sparsity loss without their formulas. These are the importance and
the L1 loss of SpeechMoE (You et al. 2021, arXiv 2105.03036). They pull apart: the first wants an even mean over the
batch, the second one expert in each row; both are at their minimum, 1, when rows are one-hot and experts equally often
chosen. Their factors are the caller's.
"""

from torch import Tensor


def diversity_loss(probabilities: Tensor) -> Tensor:
    """``N * sum_n (mean_b g_bn)^2`` of gates (B, N): 1 when experts are used evenly, N when one takes all."""
    return probabilities.shape[-1] * probabilities.mean(dim=0).square().sum()


def sparsity_losses(probabilities: Tensor) -> Tensor:
    """``||g_b||_1 / ||g_b||_2`` of each gate of (B, N) -> (B,): 1 at one-hot, sqrt(N) at uniform."""
    return probabilities.sum(dim=-1) / probabilities.norm(dim=-1)
