"""Predictions of a trained model for the clips of a data directory, and the table they are kept in.

The table has sheet's columns, ``wav_path,system_id,sample_id,avg_score,answer``, and after them the weight that the
gate gave each expert, ``gate_1`` and so on. Without ratings ``avg_score`` is empty.
"""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import torch

from merit.data.batching import length_batches
from merit.data.rated.ratings import RatedClip
from merit.data.states.shard_reader import ShardReader
from merit.device import Precision, autocast, precision_of_use, usable_device
from merit.errors import MeritError
from merit.files import csv_text, write_text
from merit.metrics.quality.prediction_table import PREDICTION_COLUMNS
from merit.systems.moe_mos.clip_dataset import ClipDataset, collate
from merit.systems.moe_mos.quality_description import frozen_encoder, load_model
from merit.systems.moe_mos.quality_model import MosNetwork

logger = logging.getLogger(__name__)


def predict_directory(
    model: Path,
    data: Path,
    output: Path,
    dump: Path | None = None,
    ssl: str | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    batch_seconds: float = 60.0,
) -> None:
    """Write the predictions of a model for all clips of a data directory.

    Args:
        model: directory of the trained model.
        data: data directory with ratings.csv, in which scores may be missing.
        output: the table, as predictions.csv: rating and prediction of each clip, and the weights of the gate.
        dump: states of the clips, or of more, dumped from the encoder that the model was trained on; without it the
            encoder begins at the audio.
        ssl: where the frozen encoder lies now; without it, where it was in training.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        precision: auto is that of the training.
        batch_seconds: padded audio computed at once.

    Raises:
        MeritError: when the directory holds no model, its encoder is not there or another one, the dump does not fit,
            a clip cannot be read, or a prediction is not finite.
    """
    network, description = load_model(model)
    reader = None
    if dump is not None:
        if description.encoder is not None:
            raise MeritError(f"{model}: its encoder was trained too, so dumped states are not its own; leave --dump")
        reader = ShardReader(dump, {"fingerprint": description.ssl_fingerprint})
    elif network.encoder is None:
        network.encoder = frozen_encoder(description, model, ssl).eval()
        logger.info("%s: encoder of %s", model, ssl or description.ssl)
    dataset = ClipDataset(data, description.classes, description.statistics, reader)
    place = usable_device(device)
    used = precision_of_use(precision, description.precision, place)
    with torch.inference_mode(), autocast(used, place):
        rows = predict_clips(network.to(place), dataset, batch_seconds)
    clips = [dataset.clips[key] for key in dataset.keys]
    experts = range(1, len(rows[0]))
    header = (*PREDICTION_COLUMNS, *(f"gate_{number}" for number in experts))
    write_text(output, csv_text(header, (_line(clip, row) for clip, row in zip(clips, rows))))
    rated = sum(bool(clip.scores) for clip in clips)
    logger.info("%s: %d clips, %d of them rated", output, len(clips), rated)


def predict_clips(model: MosNetwork, dataset: ClipDataset, batch_seconds: float) -> list[list[float]]:
    """MOS and gate weights of every clip, in the order of the data set.

    Raises:
        MeritError: when one is not finite; names the clip.
    """
    device = next(model.parameters()).device
    places = {key: place for place, key in enumerate(dataset.keys)}
    found: dict[str, list[float]] = {}
    for keys in length_batches(dict(zip(dataset.keys, dataset.seconds)), batch_seconds):
        batch = collate([dataset[places[key], 0] for key in keys]).to(device)
        output = model(batch.waveform, batch.lengths, batch.states, batch.frame_lengths)
        values = torch.cat([output.mos.unsqueeze(1), output.routing.weights[:, 0]], dim=1).double().tolist()
        found |= dict(zip(keys, values))
    for key, values in found.items():
        if not all(map(math.isfinite, values)):
            raise MeritError(f"clip {key}: the model gives {values[0]}; look at the audio, or use another precision")
    return [found[key] for key in dataset.keys]


def _line(clip: RatedClip, values: Sequence[float]) -> list[object]:
    mean = f"{clip.mean:.6g}" if clip.scores else None
    return [clip.wav_path, clip.system_id, clip.sample_id, mean, *(f"{value:.6f}" for value in values)]
