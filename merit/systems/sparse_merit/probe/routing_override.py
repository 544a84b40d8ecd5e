"""A trained model whose gates can be overruled.

Every frame of a task goes where its ``own`` gate, the ``other`` task's gate, or a rule that always names one expert
(``expert_0``, ...) would have it; everything else of the model stays. The other gate's weights are taken as they are. A
fixed expert gets the weight that the task's own gate gave to the experts it kept, so the scale of the heads' input
stays: the kept probability at top-1, the sum of those kept at top-K, 1 for a dense gate.
"""

import hashlib

import torch
from torch import Tensor, nn

from merit.errors import MeritError
from merit.nets.gate import Routing
from merit.systems.sparse_merit.front_end import MixtureOfExperts
from merit.systems.sparse_merit.inference import Merit
from merit.systems.sparse_merit.results.probe_scores import OTHER, OWN


class RememberingEncoder(nn.Module):
    """An encoder that computes what it has computed before only once; :meth:`forget` makes room."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.maximum_samples = encoder.maximum_samples
        self.forget()

    def forget(self) -> None:
        """Drop the hidden states."""
        self.known: dict[bytes, tuple[Tensor, Tensor]] = {}

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """As the encoder: (B, S) and (B,) -> states (B, T, L, D) and frame lengths (B,)."""
        content = waveform.cpu().numpy().tobytes() + lengths.cpu().numpy().tobytes()
        key = hashlib.blake2b(content).digest()
        if key not in self.known:
            self.known[key] = self.encoder(waveform, lengths)
        return self.known[key]


class ReroutedExperts(nn.Module):
    """A mixture of experts whose gates may be overruled.

    Args:
        front_end: the trained one.

    Attributes:
        rule: ``own``, ``other`` or ``expert_<n>``.
    """

    def __init__(self, front_end: MixtureOfExperts) -> None:
        super().__init__()
        self.front_end = front_end
        self.rule = OWN

    @property
    def rules(self) -> list[str]:
        """All rules that this front end can follow; without a second gate there is no other one."""
        other = [OTHER] if len(self.front_end.tasks) > 1 else []
        return [OWN, *other, *(f"expert_{n}" for n in range(len(self.front_end.experts)))]

    def forward(self, states: Tensor, mask: Tensor) -> tuple[dict[str, Tensor], list[Routing]]:
        """As :meth:`merit.nets.experts.MixtureOfExperts.forward`, the routing left out."""
        frames = self.front_end.frames(states)
        weights = torch.stack([weights for weights, _ in self.front_end.route(frames, mask)], dim=2)
        mixed = self.front_end.mix(frames, reroute(weights, self.rule), mask)
        return {task: mixed[:, :, g] for g, task in enumerate(self.front_end.tasks)}, []


def reroute(weights: Tensor, rule: str) -> Tensor:
    """Weights of the gates (..., G, N) -> those under ``own``, ``other`` (of two gates) or ``expert_<n>``."""
    if rule == OWN:
        return weights
    if rule == OTHER:
        return weights.flip(-2)
    fixed = torch.zeros_like(weights)
    fixed[..., int(rule.removeprefix("expert_"))] = weights.sum(dim=-1)
    return fixed


def overrulable(merit: Merit, name: str) -> Merit:
    """Put the two modules above into a model.

    Args:
        merit: the trained model; it is changed.
        name: for messages.

    Raises:
        MeritError: when the model has no gates.
    """
    if not isinstance(merit.model.front_end, MixtureOfExperts):
        raise MeritError(f"{name}: the model does not route, so there is no gate to overrule")
    merit.model.encoder = RememberingEncoder(merit.model.encoder)
    merit.model.front_end = ReroutedExperts(merit.model.front_end)
    return merit
