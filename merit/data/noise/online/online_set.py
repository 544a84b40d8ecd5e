"""Making ``<set>_online``, a data directory that is mixed while it is read."""

import logging
import math
from pathlib import Path

from merit.data.audio import MIN_SAMPLES, audio_duration
from merit.data.datadir import MIXING, first_of, read_table, write_data_directory
from merit.data.noise.mixed_names import online_name
from merit.data.noise.mixing import too_short
from merit.data.noise.online.mixer import OnlineMixing
from merit.data.noise.online.mixing_file import mixing_text
from merit.errors import MeritError
from merit.files import write_text
from merit.time_grid import SAMPLE_RATE

logger = logging.getLogger(__name__)


def write_online_set(data: Path, mixing: OnlineMixing, output: Path) -> Path:
    """Write ``output/<set>_online``: the tables of ``<set>``, and ``mixing.json``.

    Args:
        data: the data directory ``<set>``, of clean speech.
        mixing: what its mixtures are drawn from.
        output: parent of the new directory, which is left alone when it holds all this already.

    Raises:
        MeritError: listing the utterances that are damaged or too short, as far as the headers of their files show.
    """
    directory = output / online_name(data.resolve().name)
    wav = read_table(data / "wav.scp")
    durations, problems = {}, []
    for utterance, entry in wav.items():
        try:
            # As many as resampling gives; the recipe's may be rounded.
            samples = math.ceil(round(audio_duration(entry, utterance) * SAMPLE_RATE, 3))
            durations[utterance] = str(samples / SAMPLE_RATE)
            if samples < MIN_SAMPLES:
                problems.append(too_short(utterance, entry, samples))
        except MeritError as error:
            problems.append(str(error))
    if problems:
        raise MeritError(f"{data}: mend these or take them out of its tables:\n" + first_of(problems))
    tables = {file.name: read_table(file) for file in sorted(data.glob("utt2*"))} | {"utt2dur": durations}
    text, path = mixing_text(mixing), directory / MIXING
    present = {"wav.scp": wav, **tables}
    whole = all((directory / name).is_file() and read_table(directory / name) == present[name] for name in present)
    if whole and path.is_file() and path.read_text(encoding="utf-8") == text:
        logger.info("%s: complete", directory)
        return directory
    (directory / "wav.scp").unlink(missing_ok=True)  # which comes last, so that nobody takes half for the whole
    write_text(path, text)
    write_data_directory(directory, wav, **tables)
    names = ", ".join(noise.name for noise in mixing.noises)
    logger.info("%s: %d utterances, to be mixed with %s while they are read", directory, len(wav), names)
    return directory
