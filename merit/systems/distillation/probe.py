"""How much of the emotion a frozen encoder's states hold for a linear classifier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from merit.data.batching import length_batches
from merit.data.datadir import read_durations, read_table
from merit.data.padding import stack_padded
from merit.data.statistics import WaveformStatistics, normalised_waveform
from merit.device import autocast, default_device
from merit.errors import MeritError
from merit.metrics.classification import classification_scores
from merit.nets.masks import length_mask
from merit.nets.ssl import SpeechEncoder
from merit.precision import Precision

REGULARISATION = (1e2, 1e3, 1e4, 1e5)
"""Values of scikit-learn's alpha that the speakers of the training set choose from."""


@dataclass(frozen=True)
class PooledStates:
    """Of each utterance the mean of every state over its frames ``(N, L D)``, its emotion and its speaker."""

    values: np.ndarray
    emotions: Sequence[str]
    speakers: Sequence[str]


@torch.inference_mode()
def pool_states(
    encoder: SpeechEncoder,
    data: Path,
    statistics: WaveformStatistics,
    batch_seconds: float = 60.0,
    precision: Precision = "auto",
) -> PooledStates:
    """Run an encoder over a data directory and average the states of each utterance over time.

    Args:
        encoder: frozen.
        data: data directory with utt2emo.
        statistics: normalisation of the waveforms.
        batch_seconds: seconds of audio computed at once.
        precision: of the encoder; the mean is taken in float32.

    Raises:
        MeritError: when a table is missing, an utterance has no emotion, or audio cannot be read.
    """
    wav, emotions, speakers = (read_table(data / name) for name in ("wav.scp", "utt2emo", "utt2spk"))
    for name, table in (("utt2emo", emotions), ("utt2spk", speakers)):
        if missing := sorted(set(wav) - set(table)):
            raise MeritError(f"{data / name}: no line for utterance {missing[0]}, which wav.scp has")
    device = default_device()
    encoder = encoder.to(device).eval()
    means: dict[str, np.ndarray] = {}
    for keys in length_batches(read_durations(data, wav), batch_seconds):
        signals = [torch.from_numpy(normalised_waveform(wav[key], key, statistics)) for key in keys]
        lengths = torch.tensor([len(signal) for signal in signals])
        waveform = stack_padded(signals).to(device)
        with autocast(precision, device):
            states, frames = encoder(waveform, lengths)
        inside = length_mask(frames, states.shape[1]).to(device)[:, :, None, None]
        pooled = (states.float() * inside).sum(1) / frames.to(device)[:, None, None]
        means |= dict(zip(keys, pooled.flatten(1).cpu().numpy()))
    keys = list(wav)
    return PooledStates(
        np.stack([means[key] for key in keys]), [emotions[key] for key in keys], [speakers[key] for key in keys]
    )


def linear_probe(train: PooledStates, conditions: Mapping[str, PooledStates]) -> dict[str, float]:
    """F1-macro of a ridge classifier (linear, least squares) in every condition.

    Features are standardised. How strongly it is regularised is chosen among training speakers that are left out in
    turn, so that an encoder with many channels has no disadvantage.

    Args:
        train: what it is fitted to, of at least two speakers.
        conditions: by name, what it is tried on.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    search = GridSearchCV(
        make_pipeline(StandardScaler(), RidgeClassifier()),
        {"ridgeclassifier__alpha": REGULARISATION},
        scoring="f1_macro",
        cv=LeaveOneGroupOut(),
    )
    search.fit(train.values, train.emotions, groups=train.speakers)
    return {
        name: classification_scores(states.emotions, search.predict(states.values)).f1_macro
        for name, states in conditions.items()
    }
