"""How long a model takes by its number of experts: computing one of them, the paper says, it is always the same."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from merit.files import csv_text, write_text
from merit.systems.smoe.beam_search import BeamOptions, beam_search
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.smoe_training import SmoeTraining
from merit.systems.smoe.speech_to_text_model import SpeechToText
from merit.systems.smoe.vocabulary import END, START, Vocabulary

COLUMNS = ("experts", "parameters", "active", "milliseconds", "lowest", "highest")
TASK_TAGS = (3, 4)
DEFAULT_MODEL, DEFAULT_TRAINING = SmoeModelConfig(), SmoeTraining()


def decoding_times(
    config: SmoeModelConfig, experts: Sequence[int], vocabulary_size: int, repeats: int, seconds: float = 4.0
) -> list[dict[str, float]]:
    """Milliseconds from the features of an utterance to its text, of models with random weights.

    Encoder and decoder have the same number of experts. Models take turns, so that what else the machine does meets
    all of them; the first turn is not counted.

    Args:
        config: sizes.
        experts: numbers of experts.
        vocabulary_size: V.
        repeats: turns that count.
        seconds: of the utterance.
    """
    features = torch.randn(1, round(100 * seconds), config.mel_bins)
    lengths = torch.tensor([features.shape[1]])
    models = {}
    for number in experts:
        sizes = replace(config, encoder_experts=number, decoder_experts=number, routing="given", ctc=False)
        models[number] = SpeechToText(sizes, vocabulary_size, TASK_TAGS).eval()
    options = BeamOptions(beam=5, tokens_per_frame=0, more_tokens=20)
    never = [START, END]  # so that every search takes as many steps
    times: dict[int, list[float]] = {number: [] for number in experts}
    with torch.inference_mode():
        for _ in range(repeats + 1):
            for number, model in models.items():
                began = time.perf_counter()
                memory = model.speech(features, lengths, [0])
                beam_search(model.text, memory, [START, TASK_TAGS[0], 5], 0, never, options)
                times[number].append(1000 * (time.perf_counter() - began))
    rows = []
    for number, model in models.items():
        counted = times[number][1:]
        total = sum(parameter.numel() for parameter in model.parameters())
        middle = statistics.median(counted)
        values = (number, total, model.active_parameters(), middle, min(counted), max(counted))
        rows.append(dict(zip(COLUMNS, values)))
    return rows


def measure_decoding(
    output: Path,
    vocabulary: Path,
    model: SmoeModelConfig = DEFAULT_MODEL,
    training: SmoeTraining = DEFAULT_TRAINING,
    experts: tuple[int, ...] = (1, 2, 4, 8),
    repeats: int = 10,
) -> None:
    """Write the time from the features of an utterance to its text, of models with random weights.

    Args:
        output: table, as exp/speed.csv.
        vocabulary: file of the vocabulary.
        model: sizes, as of the trainings; the number of experts changes.
        training: not looked at; it stands in the same file.
        experts: numbers of experts of encoder and decoder.
        repeats: turns over which the median is taken.
    """
    rows = decoding_times(model, experts, Vocabulary(vocabulary).size, repeats)
    write_text(output, csv_text(COLUMNS, ([row[name] for name in COLUMNS] for row in rows)))
