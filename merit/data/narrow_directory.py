"""Narrow-band copies of data directories: ``<set>`` becomes ``<set>_narrow``."""

import logging
from pathlib import Path
from typing import Literal

import joblib

from merit.data.audio import entry_file, read_audio, write_audio
from merit.data.bandwidth import narrow_band
from merit.data.datadir import first_of, problems_in, read_bandwidths, read_table, write_data_directory
from merit.errors import MeritError
from merit.processes import quiet_processes

logger = logging.getLogger(__name__)

SUFFIX = "narrow"
"""Of the copy's directory and utterances."""


def copy_narrow(
    data: Path, output: Path, audio: Path, codec: Literal["resample", "mu_law"] = "resample", nj: int = 1
) -> None:
    """Write a data directory whose speech is that of another one as a telephone leaves it, with the same texts.

    Audio that is there already and not older than what it is made of is kept.

    Args:
        data: the data directory; an utterance ``u`` becomes ``u-narrow``.
        output: the copy.
        audio: folder of its audio; another codec needs another one.
        codec: resample brings speech to 8 kHz and back; mu_law also sends it through G.711 in between.
        nj: processes.

    Raises:
        MeritError: when the data directory has problems, one of its utterances is narrow already, or one cannot be
            read; the directory is only written whole.
    """
    if problems := problems_in(data):
        raise MeritError(f"{data} cannot be copied; mend its tables or make it again:\n" + first_of(problems))
    if nj < 1:
        raise MeritError(f"--nj {nj}: expected at least one process")
    wav = read_table(data / "wav.scp")
    narrow = [key for key, bandwidth in read_bandwidths(data, wav).items() if bandwidth == "narrow"]
    if narrow:
        raise MeritError(
            f"{data / 'utt2bw'}: utterance {narrow[0]} is narrow already; copies are made of wide speech "
            "(--narrow-band none uses it as it is)"
        )
    names = {key: f"{key}-{SUFFIX}" for key in wav}
    files = {key: audio.resolve() / f"{name}.flac" for key, name in names.items()}
    output.mkdir(parents=True, exist_ok=True)
    (output / "wav.scp").unlink(missing_ok=True)  # not whole until all is there
    with quiet_processes(), joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        joblib.Parallel(n_jobs=nj)(joblib.delayed(_copy)(wav[key], key, files[key], codec) for key in wav)
    tables = {path.name: read_table(path) for path in sorted(data.glob("text.*"))}
    if (data / "utt2dur").is_file():
        tables["utt2dur"] = read_table(data / "utt2dur")
    write_data_directory(
        output,
        {names[key]: str(file) for key, file in files.items()},
        {names[key]: f"{speaker}-{SUFFIX}" for key, speaker in read_table(data / "utt2spk").items()},
        utt2bw=dict.fromkeys(names.values(), "narrow"),
        **{name: {names[key]: value for key, value in table.items()} for name, table in tables.items()},
    )
    logger.info("%s: %d utterances, %s", output, len(wav), codec)


def _copy(entry: str, key: str, file: Path, codec: str) -> None:
    source = entry_file(entry)
    kept = source is not None and file.is_file() and file.stat().st_mtime >= source.stat().st_mtime
    if not kept:
        write_audio(file, narrow_band(read_audio(entry, key), codec))
