"""The whole model: its size, tags and experts, and what a step leaves alone."""

import pytest
import torch
from small_smoe import TINY

from merit.errors import MeritError
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.speech_to_text_model import SpeechToText


def inputs(tags=(3, 3)):
    features, lengths = torch.randn(2, 24, 80), torch.tensor([24, 24])
    tokens = torch.tensor([[1, tag, 5, 8, 9] for tag in tags])
    return features, lengths, [0, 1], tokens, torch.ones_like(tokens, dtype=torch.bool)


@pytest.mark.parametrize(
    "experts, millions",  # 107 M and 144 M are the paper's; 40,000 is its vocabulary
    [
        ({}, 107.05),
        ({"decoder_widening": 2}, 119.64),
        ({"decoder_experts": 2}, 119.65),
        ({"encoder_experts": 2, "decoder_experts": 2}, 144.84),
        ({"encoder_experts": 2, "decoder_experts": 2, "routing": "learned"}, 144.86),
    ],
)
def test_the_paper_s_sizes(experts, millions):
    with torch.device("meta"):
        model = SpeechToText(SmoeModelConfig(**experts), 40_000, (3, 4))
    assert round(sum(parameter.numel() for parameter in model.parameters()) / 1e6, 2) == millions
    active = 119.64 if "decoder_widening" in experts else 107.05
    assert abs(model.active_parameters() / 1e6 - active) < 0.03  # gates have 18,468


def test_the_expert_follows_from_the_tag_unless_another_is_named():
    torch.manual_seed(1)
    model = SpeechToText(TINY, 12, (3, 4)).eval()
    given = inputs((3, 4))
    by_tag = model(*given).logits
    torch.testing.assert_close(by_tag, model(*given, [0, 1]).logits)
    other = model(*given, [1, 0]).logits  # the tags stay
    assert not torch.allclose(by_tag[0], other[0]) and not torch.allclose(by_tag[1], other[1])


def test_a_tag_that_is_none_is_refused():
    model = SpeechToText(TINY, 12, (3, 4)).eval()
    with pytest.raises(MeritError, match=r"token 7 stands in the place .* knows 3 \(transcribe\) and 4 \(translate\)"):
        model(*inputs((3, 7)))


def test_a_transcription_reaches_no_expert_of_translation():
    model = SpeechToText(TINY, 12, (3, 4))
    features, lengths, _, *texts = inputs()
    model(features, lengths, [0, 0], *texts).logits.sum().backward()
    reached = {
        layer.name.split()[0]: [expert[0].weight.grad is not None for expert in layer.experts]
        for layer in model.routed_layers()
    }
    assert reached == {"encoder": [True, False], "decoder": [True, False]}


def test_every_expert_starts_as_the_dense_layer():
    torch.manual_seed(1)
    dense = SpeechToText(SmoeModelConfig(**(vars(TINY) | {"encoder_experts": 1, "decoder_experts": 1})), 12, (3, 4))
    model = SpeechToText(TINY, 12, (3, 4))
    model.upcycle(dense)
    given = inputs((3, 4))
    torch.testing.assert_close(model.eval()(*given).logits, dense.eval()(*given).logits)
    other = SpeechToText(SmoeModelConfig(**(vars(TINY) | {"size": 8})), 12, (3, 4))
    with pytest.raises(MeritError, match="is missing or of another size"):
        other.upcycle(dense)


def test_compiled_layers_compute_the_same():
    model = SpeechToText(TINY, 12, (3, 4)).eval()
    given = inputs((3, 4))
    before = model(*given).logits
    model.compile_layers(backend="eager")  # the compiler's own front end, without its code
    torch.testing.assert_close(model(*given).logits, before)
