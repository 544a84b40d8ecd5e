"""Speech of other recipes as one data directory a corpus, cut down to what an encoder is distilled from."""

import logging
from pathlib import Path

from merit.command import run_command
from merit.data.datadir import first_of, problems_in, read_durations, read_table, write_data_directory
from merit.data.noise.recordings import named_corpus
from merit.errors import MeritError

logger = logging.getLogger(__name__)

LONGEST = 30.0
"""Seconds of the longest utterance that a Whisper encoder takes."""


def gather(speech: list[str], output: Path, voices: bool = False) -> None:
    """Write ``OUTPUT/<name>`` with the audio, speakers, emotions and durations of each data directory.

    Every file is heard once: entries that stand in a directory several times, under other names, are left out, and so
    are utterances of more than 30 s.

    Args:
        speech: name=directory of each corpus.
        output: folder of the new data directories.
        voices: write all of them together as ``OUTPUT/voices`` too, for babble.

    Raises:
        MeritError: when a directory is not valid.
    """
    together: dict[str, dict[str, str]] = {"wav": {}, "utt2spk": {}}
    for name, directory in map(named_corpus, speech):
        if problems := problems_in(directory):
            raise MeritError(f"{directory}: mend its tables or make it again:\n" + first_of(problems))
        wav = {entry: utterance for utterance, entry in reversed(read_table(directory / "wav.scp").items())}
        seconds = read_durations(directory, {utterance: entry for entry, utterance in wav.items()})
        kept = {utterance: entry for entry, utterance in wav.items() if seconds[utterance] <= LONGEST}
        if long := len(wav) - len(kept):
            logger.warning("%s: %d utterances of more than %g s are left out", directory, long, LONGEST)
        tables = {
            table: {utterance: values[utterance] for utterance in kept}
            for table in ("utt2spk", "utt2emo")
            if (directory / table).is_file() and (values := read_table(directory / table))
        }
        write_data_directory(
            output / name, kept, utt2dur={utterance: f"{seconds[utterance]:.4f}" for utterance in kept}, **tables
        )
        together["wav"] |= {f"{name}-{utterance}": entry for utterance, entry in kept.items()}
        together["utt2spk"] |= {f"{name}-{utterance}": who for utterance, who in tables["utt2spk"].items()}
        hours = sum(seconds[utterance] for utterance in kept) / 3600
        logger.info("%s: %d utterances, %.2f hours", output / name, len(kept), hours)
    if voices:
        write_data_directory(output / "voices", **together)


if __name__ == "__main__":
    run_command(gather)
