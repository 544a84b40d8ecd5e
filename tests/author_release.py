"""A small model in the layout of the authors' release, and its forward pass written out by their formulas."""

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

MEAN, STD = 2e-4, 0.06
SIZE, LAYERS, EXPERTS, EXPERT_SIZE, HEAD_SIZE, LSTM_SIZE, CLASSES, BINS = 32, 2, 3, 24, 20, 12, 4, 201
WAVLM = {
    "encoder_layers": LAYERS,
    "encoder_embed_dim": SIZE,
    "encoder_ffn_embed_dim": 48,
    "encoder_attention_heads": 4,
    "conv_feature_layers": "[(16,10,5)] + [(16,3,2)] * 4 + [(16,2,2)] * 2",
    "conv_pos": 16,
    "conv_pos_groups": 4,
    "relative_position_embedding": True,
    "gru_rel_pos": True,
    "num_buckets": 32,
    "max_distance": 800,
    "activation_fn": "gelu",
    "layer_norm_first": True,
    "extractor_mode": "layer_norm",
    "normalize": True,
}


@dataclass
class Release:
    """State dicts by file name, with the older names of weight_norm, and s3prl's WavLM with those of the encoder."""

    states: dict[str, dict[str, Tensor]]
    wavlm: nn.Module

    def save(self, folder: Path, newer_weight_norm: bool = True) -> Path:
        """Write the files as the authors' train.py does, with what an optimiser keeps beside the weights."""
        folder.mkdir(parents=True, exist_ok=True)
        for file, state in self.states.items():
            if newer_weight_norm:
                names = {
                    "weight_g": "parametrizations.weight.original0",
                    "weight_v": "parametrizations.weight.original1",
                }
                state = {".".join(names.get(part, part) for part in name.split(".")): state[name] for name in state}
            moments = {n: {"step": torch.tensor(3.0), "exp_avg": value} for n, value in enumerate(state.values())}
            optimizer = {"state": moments, "param_groups": [{"lr": 5e-5, "betas": (0.9, 0.999)}]}
            torch.save({"model": state, "optimizer": optimizer}, folder / file)
        (folder / "train_norm_stat.pkl").write_bytes(pickle.dumps((np.float64(MEAN), np.float32(STD))))
        return folder

    @torch.no_grad()
    def evaluate(self, samples: np.ndarray) -> tuple[Tensor, np.ndarray, dict[str, Tensor]]:
        """Class logits (4,), enhanced samples (S,) and the experts (T,) of both tasks, in double precision."""
        double = {file: {name: value.double() for name, value in of.items()} for file, of in self.states.items()}
        waveform = (torch.from_numpy(samples).double() - MEAN) / (float(np.float32(STD)) + 1e-8)
        (_, results), _ = self.wavlm.extract_features(
            waveform.unsqueeze(0), output_layer=LAYERS, ret_layer_results=True
        )
        representations, experts = mixture(double["final_mmoe.pt"], [state[:, 0] for state, _ in results])
        logits = emotion(double["final_pool.pt"], double["final_ser.pt"], representations["emotion"])
        enhanced = enhancement(double["final_se.pt"], representations["enhancement"], waveform)
        return logits, enhanced.numpy() * STD + MEAN, experts


def mixture(state: dict[str, Tensor], layers: list[Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """z (T, D) of both tasks from the states (T, D) of all layers, and the expert (T,) each task chose."""
    normed = [
        functional.layer_norm(layer, (SIZE,), state[f"layer_norms.{n}.weight"], state[f"layer_norms.{n}.bias"])
        for n, layer in enumerate(layers)
    ]
    frames = torch.cat(normed, dim=-1)
    outputs = []
    for n in range(EXPERTS):
        fc1, fc2 = ((state[f"experts.{n}.{fc}.weight"], state[f"experts.{n}.{fc}.bias"]) for fc in ("fc1", "fc2"))
        outputs.append(functional.linear(functional.linear(frames, *fc1).relu(), *fc2))
    chosen = {
        task: functional.linear(frames, state[f"gates.{t}.fc.weight"], state[f"gates.{t}.fc.bias"]).argmax(dim=-1)
        for t, task in enumerate(("enhancement", "emotion"))
    }
    one_hot = {task: functional.one_hot(expert, EXPERTS).double() for task, expert in chosen.items()}
    stacked = torch.stack(outputs, dim=-1)
    return {task: (stacked * weights.unsqueeze(1)).sum(dim=-1) for task, weights in one_hot.items()}, chosen


def emotion(pool: dict[str, Tensor], head: dict[str, Tensor], frames: Tensor) -> Tensor:
    """Class logits (4,) from z (T, D)."""
    hidden = torch.tanh(frames @ pool["sap_linear.weight"].T + pool["sap_linear.bias"])
    weights = torch.softmax(hidden @ pool["attention"], dim=0)
    mean = (weights * frames).sum(dim=0)
    deviation = ((weights * frames**2).sum(dim=0) - mean**2).clamp(min=1e-5).sqrt()
    hidden = torch.cat([mean, deviation]) @ head["fc.0.0.weight"].T + head["fc.0.0.bias"]
    hidden = functional.layer_norm(hidden, (HEAD_SIZE,), head["fc.0.1.weight"], head["fc.0.1.bias"]).relu()
    return hidden @ head["out.0.weight"].T + head["out.0.bias"]


def enhancement(state: dict[str, Tensor], frames: Tensor, waveform: Tensor) -> Tensor:
    """Enhanced normalised waveform (S,) from z (T, D) and the noisy normalised waveform (S,)."""
    window = torch.hamming_window(400).double()
    spectrum = torch.stft(waveform, 400, 160, window=window, pad_mode="reflect", return_complex=True).T
    magnitude = spectrum.abs() + 1e-6
    twice = frames.repeat_interleave(2, dim=0)
    upsampled = torch.cat([twice, twice[-1:].repeat(len(spectrum) - len(twice), 1)])
    hidden = torch.cat([magnitude.log1p(), upsampled], dim=-1) @ state["lstm_enc.0.weight"].T + state["lstm_enc.0.bias"]
    lstm = nn.LSTM(LSTM_SIZE, LSTM_SIZE, num_layers=2, bidirectional=True, batch_first=True).double()
    prefix = "lstm_enc.1.blstm."
    lstm.load_state_dict({name[len(prefix) :]: state[name] for name in state if name.startswith(prefix)})
    hidden = sum(lstm(hidden.unsqueeze(0))[0][0].chunk(2, dim=-1))
    mask = torch.sigmoid(hidden @ state["lstm_enc.2.weight"].T + state["lstm_enc.2.bias"])
    estimate = torch.expm1(mask * magnitude.log1p()) - 1e-6
    return torch.istft((estimate * spectrum / magnitude).T, 400, 160, window=window, length=len(waveform))


def random_release(seed: int = 0) -> Release:
    """A release with every parameter away from its initial value."""
    from s3prl.upstream.wavlm.WavLM import WavLM, WavLMConfig

    torch.manual_seed(seed)
    linear, norm = nn.Linear, nn.LayerNorm
    width = (LAYERS + 1) * SIZE
    mmoe, pool, head, decoder = nn.Module(), nn.Module(), nn.Module(), nn.Module()
    mmoe.layer_norms = nn.ModuleList(norm(SIZE) for _ in range(LAYERS + 1))
    mmoe.experts = nn.ModuleList(
        nn.ModuleDict({"fc1": linear(width, EXPERT_SIZE), "fc2": linear(EXPERT_SIZE, SIZE)}) for _ in range(EXPERTS)
    )
    mmoe.gates = nn.ModuleList(nn.ModuleDict({"fc": linear(width, EXPERTS)}) for _ in range(2))
    pool.sap_linear, pool.attention = linear(SIZE, SIZE), nn.Parameter(torch.randn(SIZE, 1))
    head.fc = nn.ModuleList([nn.Sequential(linear(2 * SIZE, HEAD_SIZE), norm(HEAD_SIZE), nn.ReLU(), nn.Dropout(0.5))])
    head.out = nn.Sequential(linear(HEAD_SIZE, CLASSES))
    decoder.weights = nn.Parameter(torch.ones(LAYERS + 1))
    decoder.layer_norm = nn.Sequential(*(norm(SIZE) for _ in range(LAYERS + 1)))
    blstm = nn.ModuleDict({"blstm": nn.LSTM(LSTM_SIZE, LSTM_SIZE, 2, batch_first=True, bidirectional=True)})
    decoder.lstm_enc = nn.ModuleList([linear(BINS + SIZE, LSTM_SIZE), blstm, linear(LSTM_SIZE, BINS)])
    wavlm = WavLM(WavLMConfig(WAVLM)).eval()
    modules = {
        "final_ssl.pt": wavlm,
        "final_mmoe.pt": mmoe,
        "final_pool.pt": pool,
        "final_ser.pt": head,
        "final_se.pt": decoder,
    }
    with torch.no_grad():
        for module in modules.values():
            for parameter in module.parameters():
                parameter += 0.1 * torch.randn_like(parameter)
    states = {file: {n: v.clone() for n, v in module.state_dict().items()} for file, module in modules.items()}
    return Release(states, wavlm.double())
