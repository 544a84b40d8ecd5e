"""Folders of speech without tables as Kaldi data directories: speakers are read off the names of the files."""

import logging
from pathlib import Path

from merit.command import run_command
from merit.data.audio import audio_duration
from merit.data.datadir import write_data_directory
from merit.data.noise.recordings import find_audio, named_corpus
from merit.errors import MeritError

logger = logging.getLogger(__name__)


def prepare_folders(folders: list[str], output: Path) -> None:
    """Write ``OUTPUT/<name>`` for each folder.

    A file's name begins with its speaker and an underscore, as ``SM1_F01_A01.wav``. Files that are damaged are left out
    and named.

    Args:
        folders: name=folder of each; its audio lies anywhere in it.
        output: folder of the data directories.

    Raises:
        MeritError: when a folder has no audio, a file's name has no speaker, or two files have one name.
    """
    for name, folder in map(named_corpus, folders):
        wav: dict[str, Path] = {}
        seconds: dict[str, float] = {}
        for file in find_audio(folder):
            path = (folder / file).resolve()
            if "_" not in path.stem.strip("_") or path.stem in wav:
                raise MeritError(f"{path}: expected another name for every file, with its speaker before the first _")
            try:
                seconds[path.stem] = audio_duration(str(path), path.stem)
            except MeritError as error:
                logger.warning("left out: %s", error)
                continue
            wav[path.stem] = path
        if not wav:
            raise MeritError(f"{folder}: no audio files here")
        write_data_directory(
            output / name, wav, utt2spk={key: f"{name}-{key.split('_')[0]}" for key in wav}, utt2dur=seconds
        )
        logger.info("%s: %d utterances, %.2f hours", output / name, len(wav), sum(seconds.values()) / 3600)


if __name__ == "__main__":
    run_command(prepare_folders)
