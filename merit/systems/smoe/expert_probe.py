"""What a trained model does when its labels are wrong, and how evenly its experts were trained."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from merit.data.audio import read_audio
from merit.data.bandwidth import detect_bandwidth
from merit.data.datadir import read_table
from merit.files import write_text
from merit.systems.smoe.expert_updates import expert_updates, uneven
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


def probe_model(recogniser: Recogniser, run: Path, data: Sequence[Path], output: Path, batch_seconds: float) -> None:
    """Decode in all ways that go against the labels, and write what else is to be known of the experts.

    Args:
        recogniser: the model.
        run: its directory.
        data: data directories of the test.
        output: ``<way>/<set>/<task>.csv`` and, last, ``probe.json`` are written there.
        batch_seconds: padded audio computed at once.
    """
    tasks = list(recogniser.languages)
    ways = ways_of(recogniser.model.config, tasks)
    for way in ways:
        for directory in data:
            for task in tasks:
                decode_directory(recogniser, directory, task, output / way / directory.name, batch_seconds, way)
    updates = expert_updates(run)
    for warning in uneven(updates):
        logger.warning("%s: %s", run, warning)
    found = {"ways": ways, "updates": updates, "detected": {path.name: detected_bandwidths(path) for path in data}}
    write_text(output / PROBE, json.dumps(found, indent=2) + "\n")


def detected_bandwidths(data: Path) -> dict[str, str]:
    """The bandwidth of each utterance as its energy above 4 kHz has it."""
    return {key: detect_bandwidth(read_audio(entry, key)) for key, entry in read_table(data / "wav.scp").items()}
