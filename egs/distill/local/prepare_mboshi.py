"""The speech of the Mboshi-French parallel corpus (Godard et al. 2018) as a Kaldi data directory, without its text.

``full_corpus_newsplit/train`` and ``dev`` hold WAV files beside transcripts and translations; a file's name begins with
its speaker.
"""

import logging
from pathlib import Path

from merit.command import run_command
from merit.data.audio import audio_duration
from merit.data.datadir import write_data_directory
from merit.errors import MeritError

logger = logging.getLogger(__name__)

WHERE = "git clone https://github.com/besacier/mboshi-french-parallel-corpus.git"


def prepare_mboshi(corpus: Path, output: Path) -> None:
    """Write the data directory ``OUTPUT/train`` of the corpus's training part.

    Files that are shorter than their headers say, as a few of the published ones are, are left out and counted.

    Args:
        corpus: a clone of the repository, the folder that holds ``full_corpus_newsplit``.
        output: folder of the data directory.

    Raises:
        MeritError: when there are no recordings.
    """
    folder = (corpus / "full_corpus_newsplit/train").resolve()
    wav = {path.stem: path for path in sorted(folder.glob("*.wav")) if path.name[0] != "."}
    if not wav:
        raise MeritError(f"{folder}: no WAV files; give the folder that holds full_corpus_newsplit: {WHERE}")
    seconds = {}
    for name, path in list(wav.items()):
        try:
            seconds[name] = audio_duration(str(path), name)
        except MeritError as error:
            logger.warning("left out: %s", error)
            del wav[name]
    write_data_directory(
        output / "train",
        wav=wav,
        utt2spk={name: name.split("_")[0] for name in wav},
        utt2dur={name: f"{duration:.4f}" for name, duration in seconds.items()},
    )
    print(f"{output / 'train'}: {len(wav)} utterances, {sum(seconds.values()) / 3600:.2f} hours")


if __name__ == "__main__":
    run_command(prepare_mboshi)
