"""The linear probe, and what it reads."""

import numpy as np
import torch

from merit.data.audio import read_audio
from merit.data.datadir import read_table
from merit.data.statistics import waveform_statistics
from merit.nets.ssl import load_encoder
from merit.systems.distillation.probe import PooledStates, linear_probe, pool_states


def test_means_are_those_of_each_utterance_alone(corpus, tiny_encoder):
    encoder, statistics = load_encoder(tiny_encoder).eval(), waveform_statistics(corpus["train"])
    pooled = pool_states(encoder, corpus["dev"], statistics, precision="float32")
    wav, emotions = (read_table(corpus["dev"] / name) for name in ("wav.scp", "utt2emo"))
    assert pooled.emotions == [emotions[key] for key in wav] and set(pooled.speakers) == {"dev"}
    for row, (key, entry) in enumerate(wav.items()):
        signal = torch.from_numpy(statistics.normalise(read_audio(entry, key))).unsqueeze(0)
        with torch.no_grad():
            states, _ = encoder(signal, torch.tensor([signal.shape[1]]))
        np.testing.assert_allclose(pooled.values[row], states[0].mean(0).flatten(), atol=1e-4)


def utterances(generator, count, informative):
    """Two classes of four speakers, who differ more than the classes do."""
    labels, speakers = np.arange(count) % 2, np.arange(count) // 2 % 4
    values = generator.standard_normal((count, 20)) + 3 * np.eye(20)[speakers]
    values[:, 10] += 4 * labels * informative
    return PooledStates(values, [f"class{label}" for label in labels], [f"s{speaker}" for speaker in speakers])


def test_classes_that_are_linear_are_found_and_others_are_not():
    generator = np.random.default_rng(0)
    for informative, low, high in ((True, 0.9, 1.0), (False, 0.3, 0.7)):
        train = utterances(generator, 160, informative)
        scores = linear_probe(train, {"dev": utterances(generator, 80, informative)})
        assert low <= scores["dev"] <= high
