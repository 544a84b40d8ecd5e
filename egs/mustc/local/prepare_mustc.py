"""MuST-C (Di Gangi et al. 2019), talks of TED with translations, as Kaldi data directories.

``data/<split>`` has the talks (``wav/ted_1.wav``) and, with a line for each segment, ``txt/<split>.yaml`` (duration and
offset in seconds, speaker_id, wav), ``txt/<split>.en`` and ``txt/<split>.<target>``.
"""

import logging
from pathlib import Path

import yaml

from merit.command import run_command
from merit.data.parallel_set import SpokenText, one_line, part_of, read_lines, write_parallel_sets
from merit.errors import MeritError, brief

logger = logging.getLogger(__name__)

SPLITS = {"train": "train", "dev": "dev", "test": "tst-COMMON"}
WHERE = "the folder en-<target> of MuST-C (./run.sh --mustc FOLDER), which holds data/train/wav and data/train/txt"


def read_segments(path: Path) -> list[dict[str, str]]:
    """The rows of a split's yaml, one a line.

    Raises:
        MeritError: when the file is missing, or a line is none of a segment.
    """
    segments = []
    for number, line in enumerate(read_lines(path, f"give {WHERE}"), start=1):
        try:
            (segment,) = yaml.load(line, Loader=yaml.CBaseLoader)
            float(segment["offset"]), float(segment["duration"]), segment["wav"], segment["speaker_id"]
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise MeritError(
                f"{path}:{number}: expected '- {{duration: 1.5, offset: 0.5, speaker_id: spk.1, wav: ted_1.wav}}' "
                f"({brief(error)}); restore the file"
            ) from error
        segments.append(segment)
    return segments


def read_split(corpus: Path, split: str, target_lang: str) -> list[SpokenText]:
    """The segments of a split with both texts.

    Raises:
        MeritError: when a file is missing or damaged, or texts and segments are not as many.
    """
    folder = corpus.resolve() / "data" / split
    segments = read_segments(folder / "txt" / f"{split}.yaml")
    texts = {}
    for language in ("en", target_lang):
        path = folder / "txt" / f"{split}.{language}"
        texts[language] = [one_line(line) for line in read_lines(path, f"give {WHERE}")]
        if len(texts[language]) != len(segments):
            raise MeritError(f"{path}: {len(texts[language])} lines for {len(segments)} segments; restore the file")
    found = []
    for number, segment in enumerate(segments):
        talk, start = folder / "wav" / segment["wav"], float(segment["offset"])
        found.append(
            SpokenText(
                f"{talk.stem}_{number:06d}",
                part_of(talk, start, start + float(segment["duration"])),
                segment["speaker_id"],
                {language: lines[number] for language, lines in texts.items()},
            )
        )
    logger.info("%s: %d segments of %d talks", split, len(found), len({segment["wav"] for segment in segments}))
    return found


def prepare_mustc(corpus: Path, output: Path, target_lang: str = "de", allow_missing: bool = False) -> None:
    """Write data/train, data/dev and data/test (tst-COMMON).

    Args:
        corpus: the folder en-<target>.
        output: folder of the data directories.
        target_lang: de, es, fr, it, nl, pt, ro or ru.
        allow_missing: go on without the talks that are missing.

    Raises:
        MeritError: when texts are missing or damaged, or audio is missing and that is not allowed.
    """
    sets = {name: read_split(corpus, split, target_lang) for name, split in SPLITS.items()}
    write_parallel_sets(corpus, sets, output, "wide", allow_missing)


if __name__ == "__main__":
    run_command(prepare_mustc)
