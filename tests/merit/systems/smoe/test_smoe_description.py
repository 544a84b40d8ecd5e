"""A trained model comes back, and not with another's vocabulary."""

import pytest
import torch
from small_smoe import describe

from merit.errors import MeritError
from merit.systems.smoe.smoe_description import VOCABULARY, build_model, load_model, read_smoe_description
from merit.systems.smoe.vocabulary import train_vocabulary


def test_a_model_comes_back(speech_model_directory, vocabulary):
    model, description, found = load_model(speech_model_directory)
    torch.manual_seed(0)
    expected = build_model(describe(vocabulary)).state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in model.state_dict().items())
    assert not model.training and description == read_smoe_description(speech_model_directory)
    assert found.model == vocabulary.model and description.languages == {"transcribe": "en", "translate": "fr"}


def test_a_vocabulary_of_another_run_is_refused(speech_model_directory):
    (speech_model_directory / VOCABULARY).write_bytes(train_vocabulary(["a b"] * 9, ["en", "fr"], 266))
    with pytest.raises(MeritError, match="vocabulary.model: not the vocabulary that the model was trained with"):
        load_model(speech_model_directory)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(MeritError, match="expected the directory of a trained model, as exp/encdec_smoe-7"):
        load_model(tmp_path)
