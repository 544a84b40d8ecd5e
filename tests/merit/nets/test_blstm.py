"""The padded bidirectional LSTM against torch's own on packed sequences, outputs and gradients."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from merit.nets.blstm import BidirectionalLSTM
from merit.nets.masks import length_mask


def test_equals_torch_on_packed_sequences():
    ours, torchs = BidirectionalLSTM(3, 4, 2), nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True)
    with torch.no_grad():
        for layer in range(2):
            for direction, suffix in ((ours.ahead, ""), (ours.back, "_reverse")):
                for name, value in direction[layer].named_parameters():
                    value.copy_(getattr(torchs, name.replace("_l0", f"_l{layer}{suffix}")))
    lengths = torch.tensor([6, 2, 4])
    frames = torch.randn(3, 6, 3)
    mask = length_mask(lengths, 6).unsqueeze(-1)
    results = []
    packed, _ = torchs(pack_padded_sequence(frames, lengths, batch_first=True, enforce_sorted=False))
    for output, module in ((ours(frames, lengths), ours), (pad_packed_sequence(packed, batch_first=True)[0], torchs)):
        (output * mask).square().sum().backward()
        gradients = sorted(float(parameter.grad.norm()) for parameter in module.parameters())
        results.append((output * mask, torch.tensor(gradients)))
    torch.testing.assert_close(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1], results[1][1])
