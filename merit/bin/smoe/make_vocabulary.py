"""Make the vocabulary of all texts: ``python -m merit.bin.smoe.make_vocabulary --data [data/train] ...``."""

import logging
from pathlib import Path

from merit.command import run_command

logger = logging.getLogger(__name__)


def make_vocabulary(data: list[Path], languages: list[str], size: int, output: Path) -> None:
    """Train byte-pair encoding with byte fallback on the texts of all languages together.

    Args:
        data: data directories.
        languages: of the texts, each of which gets a tag.
        size: pieces, with tags and the 256 bytes.
        output: file of the vocabulary.
    """
    from merit.data.datadir import read_table
    from merit.files import atomic_path
    from merit.systems.smoe.vocabulary import train_vocabulary

    tables = [read_table(directory / f"text.{language}") for directory in data for language in languages]
    texts = [text for table in tables for text in table.values()]
    with atomic_path(output) as temporary:
        temporary.write_bytes(train_vocabulary(texts, languages, size))
    logger.info("%s: %d pieces from %d texts in %s", output, size, len(texts), " ".join(languages))


if __name__ == "__main__":
    run_command(make_vocabulary)
