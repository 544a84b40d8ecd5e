"""CoVoST 2 (Wang et al. 2020) as Kaldi data directories: recordings of Common Voice 4 with translations.

``covost_v2.<source>_<target>.tsv`` has a row for each clip: path, translation, split; ``validated.tsv`` of Common Voice
has path, sentence and client_id; ``clips`` has the audio. As in the authors' get_covost_splits.py, clips are those that
are in both tables, and ``train_covost`` is a part of ``train``.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from merit.command import run_command
from merit.csv_table import csv_rows
from merit.data.parallel_set import SpokenText, one_line, write_parallel_sets
from merit.errors import MeritError

logger = logging.getLogger(__name__)

SETS = {"train": "train", "train_covost": "train", "dev": "dev", "test": "test"}
# Clips of the translations of English, which are those of every target language.
EXPECTED_ENGLISH = {"train": 289430, "dev": 15531, "test": 15531}
WHERE = (
    "Common Voice 4 (en_1488h_2019-12-10 for English) unpacked, and covost_v2.<source>_<target>.tsv of "
    "https://github.com/facebookresearch/covost beside its validated.tsv"
)


def read_translations(path: Path) -> dict[str, tuple[str, str]]:
    """Clip -> its set, and its translation.

    Raises:
        MeritError: when the table is not there or damaged, or has a split that is none or a clip twice.
    """
    found: dict[str, tuple[str, str]] = {}
    for line, row in csv_rows(path, ("path", "translation", "split"), WHERE, "\t", quoted=False):
        if row["split"] not in SETS:
            raise MeritError(f"{path}:{line}: split {row['split']!r}; expected {', '.join(SETS)}; restore the file")
        if row["path"] in found:
            raise MeritError(f"{path}:{line}: {row['path']} has a row above already; restore the file")
        found[row["path"]] = SETS[row["split"]], one_line(row["translation"])
    return found


def read_clips(
    corpus: Path, translations: Mapping[str, tuple[str, str]], languages: tuple[str, str]
) -> dict[str, list[SpokenText]]:
    """Set -> its clips, which have a row in ``validated.tsv``.

    Raises:
        MeritError: when the table is not there or damaged.
    """
    table = corpus / "validated.tsv"
    sets: dict[str, list[SpokenText]] = {name: [] for name in SETS.values()}
    for _, row in csv_rows(table, ("client_id", "path", "sentence"), WHERE, "\t", quoted=False):
        if row["path"] not in translations:
            continue
        name, translation = translations[row["path"]]
        texts = dict(zip(languages, (one_line(row["sentence"]), translation)))
        audio = corpus.resolve() / "clips" / row["path"]
        sets[name].append(SpokenText(audio.stem, str(audio), row["client_id"], texts))
    return sets


def prepare_covost2(
    corpus: Path, output: Path, source_lang: str = "en", target_lang: str = "de", allow_missing: bool = False
) -> None:
    """Write data/train, data/dev and data/test of one pair of languages, with the official split.

    Args:
        corpus: Common Voice 4 of the source language: the folder with validated.tsv, clips and
            covost_v2.<source>_<target>.tsv.
        output: folder of the data directories.
        source_lang: language that is spoken, as CoVoST writes it: en, fr, zh-CN, ...
        target_lang: language that is translated into; one of the two is en.
        allow_missing: go on without the files that are missing.

    Raises:
        MeritError: when tables are not there or damaged, or audio is missing and that is not allowed.
    """
    translations = read_translations(corpus / f"covost_v2.{source_lang}_{target_lang}.tsv")
    sets = read_clips(corpus, translations, (source_lang, target_lang))
    for name, clips in sets.items():
        rows = sum(part == name for part, _ in translations.values())
        beside = f", published are {EXPECTED_ENGLISH[name]}" if source_lang == "en" else ""
        logger.info("%-5s %6d clips of %d with a translation%s", name, len(clips), rows, beside)
    write_parallel_sets(corpus, sets, output, "wide", allow_missing)


if __name__ == "__main__":
    run_command(prepare_covost2)
