"""Phase 2 as one writes it plainly on transformers: the contender of the benchmarks phase2_step and memory.

transformers' own WavLM, all hidden states normalised and joined, every expert on every frame and zero weights for what
the gates did not choose, nn.LSTM over packed sequences. The weights are those of a MERIT model, under other names.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import WavLMConfig, WavLMModel

from merit.nets.masks import length_mask
from merit.nets.spectrum import log_magnitude, num_spectrum_frames, repeat_to_spectrum, spectrum
from merit.systems.sparse_merit.model import MeritModel


class PlainModel(nn.Module):
    """Sparse MERIT, plainly.

    Args:
        model: whose sizes and initial values are taken.
    """

    def __init__(self, model: MeritModel) -> None:
        super().__init__()
        encoder, front_end, head = model.encoder, model.front_end, model.enhancement_head
        self.encoder = WavLMModel(WavLMConfig(**encoder.config_dict()))
        self.encoder.load_state_dict(encoder.model.state_dict())
        self.encoder.feature_extractor.requires_grad_(False)
        self.norms = nn.ModuleList(nn.LayerNorm(encoder.hidden_size) for _ in range(encoder.num_states))
        self.gates = nn.ModuleList(gate.projection for gate in front_end.gates.values())
        self.experts = nn.ModuleList(front_end.experts)
        self.emotion_head = model.emotion_head
        self.projection, self.output = head.projection, head.output
        size = head.projection.out_features
        self.blstm = nn.LSTM(size, size, num_layers=2, bidirectional=True, batch_first=True)
        with torch.no_grad():
            for layer, (ahead, back) in enumerate(zip(head.blstm.ahead, head.blstm.back)):
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    getattr(self.blstm, f"{name}_l{layer}").copy_(getattr(ahead, f"{name}_l0"))
                    getattr(self.blstm, f"{name}_l{layer}_reverse").copy_(getattr(back, f"{name}_l0"))

    def forward(self, waveform: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(B, S) and samples (B,) -> emotion logits (B, C) and the enhanced log1p magnitude (B, F, 201)."""
        hidden = self.encoder(
            waveform, attention_mask=length_mask(lengths, waveform.shape[1]).long(), output_hidden_states=True
        ).hidden_states
        frame_lengths = self.encoder._get_feat_extract_output_lengths(lengths)
        frames = torch.cat([norm(states) for norm, states in zip(self.norms, hidden)], dim=-1)
        experts = torch.stack([expert(frames) for expert in self.experts], dim=2)
        mixed = []
        for gate in self.gates:
            probabilities = torch.softmax(gate(frames), dim=-1)
            best, index = probabilities.max(dim=-1, keepdim=True)
            mixed.append((torch.zeros_like(probabilities).scatter(-1, index, best).unsqueeze(-1) * experts).sum(2))
        emotion = self.emotion_head(mixed[0], length_mask(frame_lengths, frames.shape[1]))

        noisy = log_magnitude(spectrum(waveform, lengths))
        repeated = repeat_to_spectrum(mixed[1], frame_lengths, noisy.shape[1])
        projected = self.projection(torch.cat([noisy, repeated.float()], dim=-1))
        packed = pack_padded_sequence(
            projected.float(), num_spectrum_frames(lengths).cpu(), batch_first=True, enforce_sorted=False
        )
        decoded, _ = pad_packed_sequence(self.blstm(packed)[0], batch_first=True, total_length=noisy.shape[1])
        ahead, back = decoded.chunk(2, dim=-1)
        inside = length_mask(num_spectrum_frames(lengths), noisy.shape[1]).unsqueeze(-1)
        return emotion, torch.sigmoid(self.output(ahead + back)) * noisy * inside
