"""Copy a data directory in narrow band: ``python -m merit.bin.narrow_band --data data/test --audio dump/audio/...``."""

from pathlib import Path
from typing import Literal

from merit.command import run_command


def narrow_band(
    data: Path, output: Path, audio: Path, codec: Literal["resample", "mu_law"] = "resample", nj: int = 1
) -> None:
    """Write a data directory whose speech is that of another one as a telephone of 8 kHz leaves it, at 16 kHz again.

    Args:
        data: data directory of wide-band speech with texts.
        output: the copy; an utterance u becomes u-narrow.
        audio: folder of its audio, of this codec alone.
        codec: resample brings it to 8 kHz and back; mu_law also sends it through G.711 in between.
        nj: processes.
    """
    from merit.data.narrow_directory import copy_narrow
    from merit.jobs.lock import sole_writer

    with sole_writer(output):
        copy_narrow(data, output, audio, codec, nj)


if __name__ == "__main__":
    run_command(narrow_band)
