"""Prepare a published noise corpus: ``python -m merit.bin.prepare_noise --corpus musan --source DIR --output DIR``."""

from pathlib import Path
from typing import Literal

from merit.command import run_command
from merit.data.noise.babble_folder import BabbleOptions, prepare_babble
from merit.data.noise.corpora import LAYOUTS
from merit.data.noise.preparation import prepare_noise as prepare_published_noise
from merit.errors import MeritError


def prepare_noise(
    corpus: Literal[(*LAYOUTS, "crss")],
    source: Path,
    output: Path,
    subsets: list[str] | str | None = None,
    fractions: tuple[float, float, float] | None = None,
    without: list[Path] | Path | None = None,
    babble: BabbleOptions = BabbleOptions(),
    seed: int = 0,
) -> None:
    """Turn a published corpus into a folder of noise with train, dev and test parts, for all recipes.

    The folder holds links to the published files, for crss overlaid talkers. Its manifest.tsv lists them with the
    recordings they are pieces of, none of which is in two parts; removed.tsv lists the files left out, and why.

    Args:
        corpus: the published corpus; rirs are the impulse responses of OpenSLR 28, for --rir of the mixing.
        source: folder of the published corpus.
        output: folder to make; the same command again leaves it as it is, another one makes it anew.
        subsets: those to use, as '[noise,music]'; egs/TEMPLATE/noise.md says what a corpus has, and what is used
            without it.
        fractions: of the recordings in train, dev and test, in a split drawn here; '[0,0,1]' for noise of the test
            alone. Without it the split that the corpus brings, or '[0.8,0.1,0.1]'.
        without: prepared folders whose recordings and samples are left out, as '[dump/noise/freesound]'.
        babble: of crss alone: who talks, and how many at once.
        seed: seed of what is drawn.
    """
    listed = [without] if isinstance(without, Path) else without or []
    chosen = subsets.split() if isinstance(subsets, str) else subsets or []
    if corpus == "crss":
        if chosen or fractions or listed:
            raise MeritError("--subsets, --fractions and --without are not for crss; see its --babble options")
        prepare_babble(corpus, source, output, babble, seed)
        return
    if babble != BabbleOptions():
        raise MeritError(f"--babble options are for crss alone, not for {corpus}")
    prepare_published_noise(corpus, source, output, chosen, fractions, listed, seed)


if __name__ == "__main__":
    run_command(prepare_noise)
