"""The vocabulary: byte-pair encoding of all languages together, and the tags that say what is asked for."""

import io
import logging
from collections.abc import Sequence
from pathlib import Path

import sentencepiece

from merit.data.datadir import read_table
from merit.errors import MeritError
from merit.files import atomic_path
from merit.systems.smoe.smoe_config import TASKS

logger = logging.getLogger(__name__)

UNKNOWN, START, END = 0, 1, 2
CONTROL_CHARACTERS = (*range(0x20), 0x7F)
"""Bytes that UTF-8 has for nothing else. A text with one would end a line of a table, or command a terminal."""


def task_tag(task: str) -> str:
    """The tag that asks for a task."""
    return f"<{task}>"


def language_tag(language: str) -> str:
    """The tag that asks for a text in a language."""
    return f"<{language}>"


def train_vocabulary(texts: Sequence[str], languages: Sequence[str], size: int) -> bytes:
    """Train byte-pair encoding with byte fallback; gives the model of sentencepiece.

    Tags are control symbols: no text is ever encoded to one, whatever stands in it.

    Args:
        texts: of all languages.
        languages: those that have a tag.
        size: of the vocabulary, tags and 256 bytes included.

    Raises:
        MeritError: when the texts do not have so many pieces, or their characters do not fit.
    """
    model = io.BytesIO()
    tags = [*map(task_tag, TASKS), *map(language_tag, languages)]
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=model,
            vocab_size=size,
            model_type="bpe",
            byte_fallback=True,
            character_coverage=1.0,
            control_symbols=tags,
            unk_id=UNKNOWN,
            bos_id=START,
            eos_id=END,
            pad_id=-1,
            max_sentence_length=100_000,
            minloglevel=2,
        )
    except RuntimeError as error:
        reason = str(error).rstrip().splitlines()[-1]
        raise MeritError(f"a vocabulary of {size} cannot be made of {len(texts)} texts: {reason}") from error
    return model.getvalue()


def make_vocabulary(data: list[Path], languages: list[str], size: int, output: Path) -> None:
    """Write the vocabulary of the texts of all languages together: byte-pair encoding with byte fallback.

    Args:
        data: data directories with text.<language>.
        languages: of the texts, each of which gets a tag.
        size: pieces, with tags and the 256 bytes.
        output: file of the vocabulary.

    Raises:
        MeritError: when a text is missing, or there are too few for such a vocabulary.
    """
    tables = [read_table(directory / f"text.{language}") for directory in data for language in languages]
    texts = [text for table in tables for text in table.values()]
    model = train_vocabulary(texts, languages, size)
    with atomic_path(output) as temporary:
        temporary.write_bytes(model)
    logger.info("%s: %d pieces from %d texts in %s", output, size, len(texts), " ".join(languages))


class Vocabulary:
    """A trained vocabulary.

    Args:
        path: the file of sentencepiece.

    Attributes:
        path: as given.
        model: what the file holds.
        size: pieces, tags included.
        languages: those that have a tag, in the order of their numbers.
        tags: numbers of all tags.
        task_tags: numbers of the tags of the tasks.
        not_in_texts: numbers of what no text may have: unknown, start, tags and ASCII's control characters.

    Raises:
        MeritError: when the file is missing, damaged, or has no tags of the tasks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.model = Path(path).read_bytes()
            self._pieces = sentencepiece.SentencePieceProcessor(model_proto=self.model)
        except FileNotFoundError as error:
            raise MeritError(f"{path}: there is no such vocabulary; make it (stage 4)") from error
        except RuntimeError as error:
            raise MeritError(f"{path}: not a vocabulary of sentencepiece; make it anew (stage 4)") from error
        self.size = self._pieces.get_piece_size()
        tags = [self._pieces.id_to_piece(n) for n in range(END + 1, self.size) if self._pieces.is_control(n)]
        if tags[: len(TASKS)] != [task_tag(task) for task in TASKS]:
            raise MeritError(f"{path}: has no tags {' '.join(map(task_tag, TASKS))}; make the vocabulary (stage 4)")
        self.languages = [tag.strip("<>") for tag in tags[len(TASKS) :]]
        self.tags = [self._pieces.piece_to_id(tag) for tag in tags]
        self.task_tags = self.tags[: len(TASKS)]
        control = [self._pieces.piece_to_id(f"<0x{byte:02X}>") for byte in CONTROL_CHARACTERS]
        self.not_in_texts = [UNKNOWN, START, *self.tags, *control]

    def save(self, path: Path) -> None:
        """Write the same vocabulary to ``path`` in one step."""
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.model)

    def prefix(self, task: int, language: str) -> list[int]:
        """What a text begins with: start, tag of the task, tag of its language.

        Raises:
            MeritError: when the language has no tag.
        """
        if language not in self.languages:
            raise MeritError(
                f"{self.path}: the language {language!r} has no tag; this vocabulary knows {', '.join(self.languages)}"
            )
        return [START, self.task_tags[task], self._pieces.piece_to_id(language_tag(language))]

    def encode(self, text: str) -> list[int]:
        """The pieces of a text, without start, tags and end."""
        return self._pieces.encode(text)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of pieces; tags, start and end say nothing."""
        return self._pieces.decode(list(tokens))
