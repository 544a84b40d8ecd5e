"""What a trained model does when its labels are wrong, how evenly its experts were trained, and what gates learnt."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from merit.data.audio import read_audio
from merit.data.bandwidth import detect_bandwidth
from merit.data.datadir import read_table
from merit.files import write_text
from merit.precision import Precision
from merit.systems.smoe.beam_search import USUAL_SEARCH, BeamOptions
from merit.systems.smoe.expert_updates import expert_updates, uneven
from merit.systems.smoe.learned_routing import routing_shares
from merit.systems.smoe.smoe_config import SmoeModelConfig
from merit.systems.smoe.speech_decoding import Recogniser, Way, decode_directory

logger = logging.getLogger(__name__)

PROBE = "probe.json"


def ways_of(config: SmoeModelConfig, tasks: Sequence[str]) -> list[Way]:
    """The ways in which decoding can go against the labels of a model."""
    given = config.routing == "given"
    found: list[Way] = []
    if given and config.encoder_experts > 1:
        found.append("other_bandwidth")
    if given and config.decoder_experts > 1 and len(tasks) > 1:
        found.append("other_expert")
    if len(tasks) > 1:
        found.append("other_tag")
    return found


def probe_model(
    model: Path,
    data: list[Path],
    output: Path,
    search: BeamOptions = USUAL_SEARCH,
    batch_seconds: float = 100.0,
    device: str = "auto",
    precision: Precision = "auto",
) -> None:
    """Decode by the experts and tags of other labels, find bandwidths from the audio, count updates of the experts.

    Of a model with gates it is also counted which experts they choose.

    Args:
        model: directory of the trained model.
        data: data directories of the test.
        output: folder of <way>/<set>/<task>.csv and, last, probe.json.
        search: how texts are searched.
        batch_seconds: padded audio computed at once.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        precision: auto is that of the training.

    Raises:
        MeritError: when the directory holds no run, or an utterance cannot be decoded.
    """
    recogniser = Recogniser.load(model, device, precision, search)
    tasks = list(recogniser.languages)
    ways = ways_of(recogniser.model.config, tasks)
    for way in ways:
        for directory in data:
            for task in tasks:
                decode_directory(recogniser, directory, task, output / way / directory.name, batch_seconds, way)
    updates = expert_updates(model)
    for warning in uneven(updates):
        logger.warning("%s: %s", model, warning)
    found = {"ways": ways, "updates": updates, "detected": {path.name: detected_bandwidths(path) for path in data}}
    if recogniser.model.config.routing == "learned":
        found["routing"] = routing_shares(recogniser, data, batch_seconds)
    write_text(output / PROBE, json.dumps(found, indent=2) + "\n")


def detected_bandwidths(data: Path) -> dict[str, str]:
    """The bandwidth of each utterance as its energy above 4 kHz has it."""
    return {key: detect_bandwidth(read_audio(entry, key)) for key, entry in read_table(data / "wav.scp").items()}
