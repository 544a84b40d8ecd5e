"""Mix a data directory with noise: ``python -m merit.bin.mix_noise --data data/test --noise babble=PATH ...``."""

from pathlib import Path
from typing import Literal

from merit.command import run_command
from merit.data.noise.mixed_directory import mix_data_directory
from merit.data.noise.recordings import named_corpus, noise_files
from merit.data.noise.reverberation import response_files


def mix_noise(
    data: Path,
    noise: str,
    part: Literal["train", "dev", "test"],
    snrs: list[float],
    output: Path = Path("data"),
    audio: Path = Path("dump/audio"),
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
    nj: int = 1,
    rir: Path | None = None,
) -> None:
    """Mix speech with noise into data directories <set>_<noise>_<snr>dB.

    The noise corpus is any folder of audio. Its sub-folders train, dev and test are its parts; without them its files
    are split once, and the split is written to OUTPUT/noise/<name>.tsv. A folder of impulse responses is split in the
    same way, in fractions of 0.8, 0.1 and 0.1, in OUTPUT/rir/<folder>.tsv.

    Args:
        data: data directory of the speech.
        noise: name and folder of the noise corpus, as babble=/path.
        part: part of the noise corpus to draw from.
        snrs: signal-to-noise ratios in dB, as '[-5,0,5,10]'.
        output: directory of the mixed data directories.
        audio: directory of the mixed audio.
        fractions: of the files in train, dev and test, in a split made here; '[0,0,1]' for noise of the test alone.
        seed: seed of the split and of the choice of noise for each utterance.
        nj: number of processes.
        rir: folder of room impulse responses; speech is convolved with one before the noise is added, and the clean
            reference stays dry. None leaves the speech as it is.
    """
    name, corpus = named_corpus(noise)
    files = noise_files(corpus, output / "noise" / f"{name}.tsv", part, fractions, seed)
    rooms = response_files(rir, output / "rir" / f"{rir.resolve().name}.tsv", part, seed) if rir else ()
    mix_data_directory(data, name, corpus, files, snrs, output, audio, seed, nj, rooms)


if __name__ == "__main__":
    run_command(mix_noise)
