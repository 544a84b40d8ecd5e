"""Errors in a sentence."""

import json

import pytest

from merit.errors import brief, file_error


def test_an_error_of_a_library_is_one_line_and_not_endless():
    with pytest.raises(json.JSONDecodeError) as error:
        json.loads("{\n")
    text = brief(error.value)
    assert text.startswith("JSONDecodeError: Expecting property name") and "\n" not in text
    assert brief(ValueError("a\n  b\t c")) == "ValueError: a b c"
    assert brief(ValueError("x" * 300), length=20) == "ValueError: xxxxxxxx..."
    assert brief(ValueError("x" * 8), length=20) == "ValueError: xxxxxxxx"


def error_of(action, *arguments) -> OSError:
    with pytest.raises(OSError) as error:
        action(*arguments)
    return error.value


def test_a_file_error_names_the_place_and_what_is_needed(tmp_path):
    file = tmp_path / "file"
    file.touch()
    directory = "a directory is needed here, and this is a file or lies below one; choose another place"
    assert file_error(error_of(file.mkdir)) == f"{file}: {directory}"
    assert file_error(error_of((file / "below").touch)) == f"{file}/below: {directory}"
    found = file_error(error_of(tmp_path.write_text, ""))
    assert found == f"{tmp_path}: a file is to be written here, and this is a directory; choose another name"
    assert file_error(error_of((tmp_path / "none").read_text)) == f"{tmp_path}/none: No such file or directory"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "other").mkdir()
    assert file_error(error_of((tmp_path / "other").rename, tmp_path / "full")).startswith(f"{tmp_path}/full: ")
    assert file_error(OSError("no number")) == "no number"
