"""WavLM's transformer: scaled_dot_product_attention over transformers' weights against transformers' own model."""

import contextlib
import sys
from functools import partial

import torch
from measure import LARGE, chosen_device, peak_bytes, report, seconds
from torch import Tensor
from transformers import WavLMConfig, WavLMModel

from merit.device import has_fast_bfloat16
from merit.errors import MeritError
from merit.nets.ssl import build_encoder
from merit.nets.ssl.encoder import SpeechEncoder
from merit.nets.ssl.wavlm import ScaledDotProductWavLMAttention


class FlexWavLMAttention(ScaledDotProductWavLMAttention):
    """The bias computed inside FlexAttention's kernel from the gates and the position bias of the distances."""

    def forward(self, hidden_states: Tensor, attention_mask: Tensor, position_bias: Tensor, **_) -> tuple:
        """As the base class; for batches whose utterances have one length."""
        from torch.nn.attention.flex_attention import flex_attention

        by_head = (self.num_heads, self.head_dim)
        gates = self.gru_rel_pos_linear(hidden_states.unflatten(-1, by_head)).unflatten(-1, (2, 4)).sum(-1).sigmoid()
        gate_a, gate_b = gates.transpose(1, 2).unbind(-1)
        gate = gate_a * (gate_b * self.gru_rel_pos_const.squeeze(-1) - 1.0) + 2.0
        # Row T - 1 of the table begins with distance 1 - T, row 0 with distance 0.
        by_distance = torch.cat([position_bias[:, -1, :-1], position_bias[:, 0]], dim=1).contiguous()
        zero, padding = position_bias.shape[-1] - 1, attention_mask[0, 0, 0].contiguous()
        query, key, value = (
            project(hidden_states).unflatten(-1, by_head).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )

        def biased(score, b, h, i, j):
            return score + gate[b, h, i] * by_distance[h, j - i + zero] + padding[j]

        attended = flex_attention(query, key, value, score_mod=biased)
        return self.out_proj(attended.transpose(1, 2).flatten(2)), None, position_bias


def flex_encoder(encoder: SpeechEncoder) -> SpeechEncoder:
    """Let an encoder's layers use FlexAttention, compiled as it must be."""
    for layer in encoder.layers:
        layer.attention.__class__ = FlexWavLMAttention
    encoder.compile_layers()
    return encoder


def main() -> None:
    """Print the rows."""
    device = chosen_device(__doc__)
    on_gpu = device.type == "cuda"
    torch.manual_seed(0)
    batch, length = (32, 11 * 16000) if on_gpu else (2, 6 * 16000)
    size = "WavLM Large, 32 x 11 s" if on_gpu else "6 layers of WavLM Base, 2 x 6 s"
    config = WavLMConfig(**LARGE if on_gpu else {"num_hidden_layers": 6})
    for name in ("attention_dropout", "hidden_dropout", "activation_dropout", "feat_proj_dropout", "layerdrop"):
        setattr(config, name, 0.0)
    config.apply_spec_augment = False
    plain = WavLMModel(config).to(device).eval()

    def like_plain() -> SpeechEncoder:
        encoder = build_encoder(config.to_dict()).to(device).eval()
        encoder.model.load_state_dict(plain.state_dict(), strict=False)
        return encoder

    ours = like_plain()
    models = [plain, ours]
    waveform = torch.randn(batch, length, device=device)
    lengths = torch.full((batch,), length, device=device)

    def precision() -> contextlib.AbstractContextManager:
        return torch.autocast("cuda", torch.bfloat16) if on_gpu else contextlib.nullcontext()

    def plain_states() -> Tensor:
        return torch.stack(plain(waveform, output_hidden_states=True).hidden_states, dim=2)

    def our_states(encoder: SpeechEncoder = ours) -> Tensor:
        return encoder(waveform, lengths)[0]

    def frozen(states) -> Tensor:
        with torch.no_grad(), precision():
            return states()

    def frozen_in_16_bits(states) -> None:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            states()

    def trained(states) -> None:
        with precision():
            loss = states().float().square().mean()
        loss.backward()

    states = {"transformers": plain_states, "merit": our_states}
    if on_gpu:
        compiled, flex = like_plain(), flex_encoder(like_plain())
        compiled.compile_layers()
        models += [compiled, flex]
        states |= {"merit, compiled": lambda: our_states(compiled), "FlexAttention": lambda: our_states(flex)}
        try:
            trained(states["FlexAttention"])
        except Exception as error:  # it is compiled to a kernel for this GPU, or not
            print(f"FlexAttention is left out: {error}", file=sys.stderr)
            del states["FlexAttention"]
    expected = frozen(plain_states).float()
    for name, model_states in states.items():
        difference = (expected - frozen(model_states)).abs()
        # In 16 bits single values of 24 layers wander; on average they must not.
        if (difference.mean() if on_gpu else difference.max()).item() > (0.1 if on_gpu else 2e-5):
            raise MeritError(f"the states of {name} differ from transformers' by {difference.max().item():.1e}")
    del expected
    audio = batch * length / 16000
    bits = "bfloat16" if on_gpu else "float32"
    kinds = {f"frozen forward, {bits}": frozen, f"forward and backward, {bits}": trained}
    if not on_gpu and has_fast_bfloat16(device):
        kinds["frozen forward, bfloat16"] = frozen_in_16_bits
    for kind, run in kinds.items():
        for model in models:  # without gradients transformers' attention takes another way in 16 bits
            for name, parameter in model.named_parameters():
                parameter.requires_grad_(run is trained and "feature_extractor" not in name)
        taken = seconds({name: partial(run, model_states) for name, model_states in states.items()}, device)
        for name, time in taken.items():
            report(f"{name}, {kind}, {size}", audio / time, "audio-s/s")
        ratio = taken["transformers"] / taken["merit"]
        report(f"merit against transformers, {kind}, {size}", ratio, "x")
        if run is frozen:
            rate, ratio = (audio / taken["merit"], ratio) if on_gpu else (None, None)
            report("frozen WavLM Large forward, bf16, 32 x 11 s, GPU", rate, "audio-s/s", at_least=5000)
            report("the same against transformers in bf16, GPU", ratio, "x", at_least=1.5)
    share = None
    if on_gpu:
        del compiled, flex, models
        peaks = [
            peak_bytes(lambda model_states=model_states: trained(model_states), device)
            for model_states in (our_states, plain_states)
        ]
        share = peaks[0] / peaks[1]
        report("merit, peak memory of forward and backward", peaks[0] / 1e9, "GB")
        report("transformers, peak memory of forward and backward", peaks[1] / 1e9, "GB")
    report("peak memory of forward and backward against transformers, GPU", share, "x", at_most=0.65)


if __name__ == "__main__":
    main()
