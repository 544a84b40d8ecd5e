"""The files of a trained model's directory: their names, and the formats that only Sparse MERIT has.

``exp/<method>[_<tag>]-<seed>/``

``config.json``, ``history.csv``   what was trained and how, and one row an epoch; the training writes them
``decode/<condition>/``            :mod:`merit.systems.sparse_merit.decoding` writes it
``  audio/<utterance>.flac``, ``wav.scp``   enhanced speech (models with an enhancement head)
``  utt2emo``, ``posteriors.csv``           most probable emotion; probability of each (models with an emotion head)
``  routing.npz``                           index of the strongest expert of each frame (models that route)
``  decode.json``                           what it was made of; written last, so it marks a complete condition
``score/<condition>/``             :mod:`merit.bin.sparse_merit.score` writes it
``  emotion.csv``                           as :mod:`merit.metrics.label_table` has it
``  enhancement.csv``, ``.jsonl``           as :mod:`merit.metrics.enhancement.score_sheet` has them
``routing_probe.csv``              :mod:`.probe_scores` writes and reads it
``RESULTS.md``                     :mod:`merit.bin.sparse_merit.report` writes it, for people

The scores of the noisy input lie in ``dump/score_noisy/<condition>/enhancement.csv``.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from merit.errors import MeritError
from merit.files import atomic_path, csv_text, write_text

CONFIG = "config.json"
HISTORY = "history.csv"
DECODED, SCORED = "decode", "score"
"""Parents of the folders of the conditions."""
ENHANCED = "wav.scp"
RECOGNISED = "utt2emo"
POSTERIORS = "posteriors.csv"
ROUTING = "routing.npz"
COMPLETE = "decode.json"
EMOTION_TABLE = "emotion.csv"
ENHANCEMENT_TABLE = "enhancement.csv"
PROBE_TABLE = "routing_probe.csv"


def read_config(directory: Path) -> dict:
    """``config.json`` of a trained model: ``description`` of the model and ``run``, how it was trained.

    Raises:
        MeritError: when it is missing or not that of a trained model.
    """
    path = directory / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if config.keys() >= {"description", "run"}:
            return config
    except (OSError, ValueError, AttributeError) as error:
        raise MeritError(f"{path}: not the configuration of a trained model ({error}); train it again") from error
    raise MeritError(f"{path}: not the configuration of a trained model; train it again")


def write_routing(path: Path, tasks: Sequence[str], experts: Mapping[str, np.ndarray]) -> None:
    """Write the strongest expert of every frame, ``(tasks, T)`` for each utterance; see :func:`read_routing`."""
    with atomic_path(path) as temporary:
        np.savez_compressed(
            temporary,
            tasks=np.array(tasks),
            utterances=np.array(list(experts)),
            frames=np.array([strongest.shape[1] for strongest in experts.values()]),
            experts=np.concatenate(list(experts.values()), axis=1).astype(np.uint8),
        )


def read_routing(path: Path) -> tuple[list[str], dict[str, np.ndarray]]:
    """The tasks, and for each utterance the strongest expert of every 20 ms frame, uint8 ``(tasks, T)``."""
    with np.load(path) as arrays:
        ends = np.cumsum(arrays["frames"])
        pieces = np.split(arrays["experts"], ends[:-1], axis=1)
        return arrays["tasks"].tolist(), dict(zip(arrays["utterances"].tolist(), pieces))


def write_posteriors(path: Path, emotions: Mapping[str, Mapping[str, float]]) -> None:
    """Write utterance -> emotion -> probability, sorted by utterance; see :func:`read_posteriors`."""
    classes = list(next(iter(emotions.values())))
    rows = ([utt, *(f"{value:.6f}" for value in emotions[utt].values())] for utt in sorted(emotions))
    write_text(path, csv_text(["utt", *classes], rows))


def read_posteriors(path: Path | str) -> tuple[tuple[str, ...], dict[str, list[float]]]:
    """Classes and utterance -> probabilities of a ``posteriors.csv`` (``utt`` and one column a class).

    Raises:
        MeritError: when a row has another number of columns or no numbers.
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    posteriors = {}
    for number, row in enumerate(rows, start=2):
        try:
            posteriors[row[0]] = [float(value) for value in row[1:]]
        except (ValueError, IndexError) as error:
            raise MeritError(f"{path}:{number}: expected an utterance and numbers, found {','.join(row)}") from error
        if len(row) != len(header):
            raise MeritError(f"{path}:{number}: expected {len(header)} columns, found {len(row)}; decode again")
    return tuple(header[1:]), posteriors


def mark_decoded(folder: Path, source: Mapping[str, str], utterances: int) -> None:
    """Write ``decode.json``, which says that a condition is complete, and what identifies computation and data."""
    write_text(folder / COMPLETE, json.dumps({**source, "utterances": utterances}, indent=2) + "\n")


def is_decoded(folder: Path, source: Mapping[str, str]) -> bool:
    """Whether a condition is complete and was made of ``source``."""
    try:
        found = json.loads((folder / COMPLETE).read_text(encoding="utf-8"))
        return {name: found.get(name) for name in source} == dict(source)
    except (OSError, ValueError, AttributeError):  # AttributeError: no JSON object
        return False
