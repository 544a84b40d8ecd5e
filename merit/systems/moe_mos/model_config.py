"""Options of the model; free of PyTorch."""

from dataclasses import dataclass
from typing import Literal


@dataclass
class MosModelConfig:
    """What is between the encoder and the outputs.

    The paper gives the order of the parts. Their sizes are not in it; what the field uses stands here.

    Attributes:
        num_experts: N; 1 is a plain head.
        expert_size: hidden width of an expert.
        representation_size: width of what experts give.
        dropout: inside an expert (0.3 in sheet's heads).
        pooling: over time: ``statistics``, attentive mean and standard deviation, or ``mean``.
        layer_norm: normalise each hidden state before they are summed.
        rater_embedding: learn a vector for each listener of the training, added to what the MOS head reads, and one for
            the mean listener, who is asked in the test (as LDNet, Huang et al. 2022, and UTMOS).
    """

    num_experts: int = 4
    expert_size: int = 256
    representation_size: int = 128
    dropout: float = 0.3
    pooling: Literal["statistics", "mean"] = "statistics"
    layer_norm: bool = True
    rater_embedding: bool = False
