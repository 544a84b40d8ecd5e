"""Clean speech, emotions and routing of whole test conditions, on disk where scoring and analysis find them.

The condition is the name of the data directory; :mod:`.results.run_files` says which files ``<output>/<condition>/``
holds.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from merit.data.audio import audio_digest, read_audio, write_audio
from merit.data.batching import length_batches
from merit.data.datadir import read_durations, read_table, require_stored, write_table
from merit.device import Precision, precision_of_use, usable_device
from merit.errors import MeritError
from merit.files import sha256, write_text
from merit.progress import progress
from merit.systems.sparse_merit.description import read_description
from merit.systems.sparse_merit.inference import Merit, check_length
from merit.systems.sparse_merit.result import Result, join_pieces
from merit.systems.sparse_merit.results.run_files import (
    COMPLETE,
    ENHANCED,
    POSTERIORS,
    RECOGNISED,
    ROUTING,
    is_decoded,
    mark_decoded,
    write_posteriors,
    write_routing,
)

logger = logging.getLogger(__name__)

FILE_THREADS = 4
"""Audio files read or written at the same time; the codecs leave Python's lock."""


def decode_conditions(
    model: Path, data: Sequence[Path], output: Path, batch_seconds: float, device: str, precision: Precision
) -> None:
    """Decode every data directory with a trained model, except those whose complete result is there already.

    Args:
        model: directory of the trained model.
        data: data directories with wav.scp.
        output: parent of the conditions' directories.
        batch_seconds: audio computed at once, padding included.
        device, precision: see :class:`merit.systems.sparse_merit.inference.Merit`.

    Raises:
        MeritError: when two directories have one name, or the model, a table or audio cannot be used.
    """
    names = [directory.name for directory in data]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise MeritError(f"--data: two directories are called {repeated[0]}, and their results would go to one place")
    require_stored(*data)
    computation = identify(model, device, precision)
    sources = {
        directory: {**computation, "data": audio_digest(read_table(directory / "wav.scp"))} for directory in data
    }
    to_do = [directory for directory in data if not is_decoded(output / directory.name, sources[directory])]
    if len(to_do) < len(data):
        logger.info("%s: %d of %d conditions are decoded already", output, len(data) - len(to_do), len(data))
    if not to_do:
        return
    merit = Merit.from_pretrained(model, device, precision)
    for directory in to_do:
        decode_condition(merit, directory, output / directory.name, batch_seconds, sources[directory])


def identify(model: Path, device: str, precision: Precision) -> dict[str, str]:
    """What the results of a model depend on beside the data: its weights, the precision and the type of device.

    Args:
        model: directory of the trained model.
        device, precision: see :class:`merit.systems.sparse_merit.inference.Merit`.

    Raises:
        MeritError: when there is no trained model, or the device cannot be used.
    """
    if not (model / "model.safetensors").exists():
        raise MeritError(f"{model}: no model.safetensors; expected the directory of a trained model")
    place = usable_device(device)
    return {
        "weights": sha256(model / "model.safetensors"),
        "precision": precision_of_use(precision, read_description(model).precision, place),
        "device": place.type,
    }


def enhance_directories(
    model: Path, data: Sequence[Path], output: Path, batch_seconds: float, device: str, precision: Precision
) -> None:
    """Make ``output/<name>`` of every data directory ``<name>``: the same tables, ``wav.scp`` with enhanced speech.

    Args:
        model: directory of a trained model with an enhancement head.
        data, batch_seconds, device, precision: see :func:`decode_conditions`.
        output: parent of the enhanced directories.

    Raises:
        MeritError: when the model does not enhance; otherwise as :func:`decode_conditions`.
    """
    if "enhancement" not in read_description(model).model.tasks:
        raise MeritError(f"{model}: has no enhancement head; give a model that enhances, as exp/se_only-7")
    decode_conditions(model, data, output, batch_seconds, device, precision)
    for directory in data:
        for table in sorted(directory.iterdir()):
            if table.name == "spk2utt" or (table.name.startswith("utt2") and table.is_file()):
                write_text(output / directory.name / table.name, table.read_text(encoding="utf-8"))


def decode_condition(merit: Merit, data: Path, output: Path, batch_seconds: float, source: Mapping[str, str]) -> None:
    """Decode one data directory.

    Utterances of similar length are computed together; one longer than the model's pieces is cut into them.

    Args:
        merit: the trained model.
        data: data directory with wav.scp, and utt2dur unless the headers of the files are to be read.
        output: directory of the condition.
        batch_seconds: audio computed at once, padding included.
        source: what identifies computation and data, kept in ``decode.json``.

    Raises:
        MeritError: when a table or an utterance cannot be used; names it.
    """
    for name in (COMPLETE, ENHANCED, RECOGNISED, POSTERIORS, ROUTING):  # of another model, perhaps with other heads
        (output / name).unlink(missing_ok=True)
    entries = read_table(data / "wav.scp")
    seconds = read_durations(data, entries)
    emotions: dict[str, dict[str, float]] = {}
    experts: dict[str, np.ndarray] = {}
    paths: dict[str, Path] = {}
    tasks: list[str] = []
    clipped = 0

    def read(utterance: str) -> np.ndarray:
        return read_audio(entries[utterance], utterance)

    def write(utterance: str, result: Result) -> int:
        paths[utterance] = output / "audio" / f"{utterance}.flac"
        return write_audio(paths[utterance], result.enhanced)

    with (
        ThreadPoolExecutor(FILE_THREADS) as files,
        progress(sum(seconds.values()), f"decode {data.name}", " audio-s", unit_scale=True) as bar,
    ):
        for utterances in length_batches(seconds, batch_seconds):
            waveforms = dict(zip(utterances, files.map(read, utterances)))
            results = decode_batch(merit, waveforms, entries)
            if merit.enhances:
                clipped += sum(files.map(write, results.keys(), results.values()))
            for utterance, result in results.items():
                if result.emotion is not None:
                    emotions[utterance] = result.emotion
                if result.routing:
                    tasks = list(result.routing)
                    experts[utterance] = np.stack([weights.argmax(axis=1) for weights in result.routing.values()])
            bar.update(sum(seconds[utterance] for utterance in utterances))
    if paths:
        write_table(output / ENHANCED, paths)
    if emotions:
        recognised = {utterance: max(found, key=found.get) for utterance, found in emotions.items()}
        write_table(output / RECOGNISED, recognised)
        write_posteriors(output / POSTERIORS, emotions)
    if experts:
        write_routing(output / ROUTING, tasks, experts)
    mark_decoded(output, source, len(entries))
    logger.info("%s: %d utterances, %.0f s of audio", output, len(entries), sum(seconds.values()))
    if clipped:
        logger.info("%s: %d enhanced samples beyond full scale were clipped", output, clipped)


def decode_batch(merit: Merit, waveforms: Mapping[str, np.ndarray], entries: Mapping[str, str]) -> dict[str, Result]:
    """Results of utterances at 16 kHz: those that fit the model's pieces together, the others one by one.

    Args:
        merit: the trained model.
        waveforms: samples of each utterance.
        entries: of ``wav.scp``, for messages.

    Raises:
        MeritError: when an utterance cannot be used, or gives NaN; names it.
    """
    names = {name: f"{name}: {entries[name]}" for name in waveforms}
    short = {name: samples for name, samples in waveforms.items() if len(samples) <= merit.piece_samples}
    for name, samples in short.items():
        check_length(len(samples), names[name])
    found = dict(zip(short, merit.batch(list(short.values()), [names[name] for name in short]))) if short else {}
    return {
        name: found[name] if name in found else join_pieces(list(merit.pieces([samples], names[name])))
        for name, samples in waveforms.items()
    }
