"""The vocabulary: every text comes back, no text is a tag."""

import pytest
from small_smoe import ENGLISH, FRENCH

from merit.errors import MeritError
from merit.systems.smoe.vocabulary import (
    END,
    START,
    UNKNOWN,
    Vocabulary,
    language_tag,
    make_vocabulary,
    task_tag,
    train_vocabulary,
)


@pytest.mark.parametrize("text", ["low middle", "über 東京 🎉", "ɓàlá ŋ́", "<translate> <fr> high", "it's 5 %"])
def test_every_text_comes_back_and_holds_no_tag(vocabulary, text):
    tokens = vocabulary.encode(text)
    assert vocabulary.decode(tokens) == text
    assert not {*tokens} & {UNKNOWN, START, END, *vocabulary.tags}


def test_tags_stand_in_front_and_say_nothing(vocabulary):
    prefix = vocabulary.prefix(1, "fr")
    assert prefix == [START, vocabulary.task_tags[1], vocabulary.tags[3]]
    assert vocabulary.languages == ["en", "fr"]
    assert vocabulary.decode([*prefix, *vocabulary.encode("haut"), END]) == "haut"
    assert (task_tag("translate"), language_tag("fr")) == ("<translate>", "<fr>")


def test_no_text_has_a_control_character(vocabulary):
    tokens = [token for token in range(vocabulary.size) if token not in vocabulary.not_in_texts]
    assert not [token for token in tokens if any(ord(c) < 32 or ord(c) == 127 for c in vocabulary.decode([token]))]
    assert not {*vocabulary.not_in_texts} & {END, *vocabulary.encode("it's 5 %, über 東京 🎉\n\r\t\x01")}
    assert {UNKNOWN, START, *vocabulary.tags} < {*vocabulary.not_in_texts}


def test_a_language_without_a_tag_is_refused(vocabulary):
    with pytest.raises(MeritError, match="language 'de' has no tag; this vocabulary knows en, fr"):
        vocabulary.prefix(0, "de")


def test_the_same_texts_give_the_same_vocabulary():
    first, second = (train_vocabulary([*ENGLISH, *FRENCH] * 5, ["en"], 285) for _ in range(2))
    assert first == second


def test_too_large_a_vocabulary_is_refused():
    with pytest.raises(MeritError, match="a vocabulary of 4000 cannot be made of 3 texts: .*too high"):
        train_vocabulary(list(ENGLISH), ["en"], 4000)


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(MeritError, match="no such vocabulary; make it"):
        Vocabulary(tmp_path / "none.model")
    (tmp_path / "broken.model").write_bytes(b"not a model")
    with pytest.raises(MeritError, match="not a vocabulary of sentencepiece"):
        Vocabulary(tmp_path / "broken.model")


def test_one_without_tags_is_refused(tmp_path):
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c"] * 9),
        model_prefix=str(tmp_path / "plain"),
        vocab_size=270,
        model_type="bpe",
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    with pytest.raises(MeritError, match="has no tags <transcribe> <translate>"):
        Vocabulary(tmp_path / "plain.model")


def test_a_copy_is_the_same_file(vocabulary, tmp_path):
    vocabulary.save(tmp_path / "copy.model")
    assert (tmp_path / "copy.model").read_bytes() == vocabulary.path.read_bytes()


def test_it_is_made_of_the_texts_of_data_directories(speech_corpus, tmp_path):
    directories = [speech_corpus["train"], speech_corpus["dev"]]
    make_vocabulary(directories, ["en", "fr"], 285, tmp_path / "v.model")
    made = Vocabulary(tmp_path / "v.model")
    assert made.size == 285 and made.languages == ["en", "fr"]
    assert {*made.encode("low haut")} & {*range(263, 285)}  # pieces, and not bytes alone
