"""The Mboshi-French parallel corpus (Godard et al. 2018) as Kaldi data directories.

``full_corpus_newsplit/{train,dev}`` has for each utterance the audio (``.wav``, 16 kHz), the transcription in Mboshi
and the translation into French, both without capitals and punctuation (``.mb.cleaned``, ``.fr.cleaned.noPunct``).
These are the texts of published results, so they are taken; the French is put together as it is written, ``l'été`` of
``l&apos; été``.
"""

import hashlib
import html
import logging
from pathlib import Path

from merit.command import run_command
from merit.data.parallel_set import SpokenText, one_line, read_lines, write_parallel_sets
from merit.errors import MeritError

logger = logging.getLogger(__name__)

CLONE = "git clone https://github.com/besacier/mboshi-french-parallel-corpus"
EXPECTED = {"train": 4616, "dev": 514}
HELD_OUT_SHARE = 12
"""One in so many sentences of the training part is held out."""


def is_held_out(sentence: str) -> bool:
    """Whether a transcription is of the part of the training set that settings are chosen on.

    The rule sees the sentence, not the file: many are said more than once, and the published split has no sentence of
    its development set in training either.
    """
    digest = hashlib.blake2b(sentence.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % HELD_OUT_SHARE == 0


def read_part(corpus: Path, part: str) -> list[SpokenText]:
    """The utterances of ``full_corpus_newsplit/<part>``.

    Raises:
        MeritError: when the folder is not there, or a text is missing, not UTF-8 or has not exactly one line.
    """
    folder = corpus.resolve() / "full_corpus_newsplit" / part
    names = sorted(path.name.removesuffix(".mb.cleaned") for path in folder.glob("*.mb.cleaned"))
    if not names:
        raise MeritError(
            f"{folder}: no transcriptions (.mb.cleaned) here; give the folder of a clone (./run.sh --mboshi FOLDER): "
            f"{CLONE}"
        )
    if len(names) != EXPECTED[part]:
        logger.warning("%s: %d utterances, published are %d", folder, len(names), EXPECTED[part])
    return [
        SpokenText(
            utterance=name,
            audio=str(folder / f"{name}.wav"),
            speaker=name.split("_")[0],
            texts={
                "mdw": read_sentence(folder / f"{name}.mb.cleaned"),
                "fr": untokenised(read_sentence(folder / f"{name}.fr.cleaned.noPunct")),
            },
        )
        for name in names
    ]


def untokenised(french: str) -> str:
    """French as it is written, of what Moses' tokeniser made of it: ``l&apos; été`` is ``l'été``."""
    return html.unescape(french).replace("' ", "'")


def read_sentence(path: Path) -> str:
    """The one line of a text.

    Raises:
        MeritError: when it is missing, not UTF-8, or has more or fewer.
    """
    lines = [line for line in read_lines(path, "restore it from the clone (git checkout .)") if line]
    if len(lines) != 1:
        raise MeritError(f"{path}: {len(lines)} lines, expected one sentence; restore it from the clone")
    return one_line(lines[0])


def prepare_mboshi(corpus: Path, output: Path, allow_missing: bool = False) -> None:
    """Write data/train, data/dev and data/test.

    ``test`` is the published development set; ``train`` and ``dev`` are the published training set, of which one in
    twelve sentences, with all its recordings, is held out for ``dev``.

    Args:
        corpus: the clone.
        output: folder of the data directories.
        allow_missing: go on without the audio files that are missing or truncated.

    Raises:
        MeritError: when the corpus is not there, a text is damaged, or audio is missing and that is not allowed.
    """
    published = {part: read_part(corpus, part) for part in EXPECTED}
    held_out = {one.utterance for one in published["train"] if is_held_out(one.texts["mdw"])}
    sets = {
        "train": [one for one in published["train"] if one.utterance not in held_out],
        "dev": [one for one in published["train"] if one.utterance in held_out],
        "test": published["dev"],
    }
    write_parallel_sets(corpus, sets, output, "wide", allow_missing)


if __name__ == "__main__":
    run_command(prepare_mboshi)
