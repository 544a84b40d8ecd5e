"""The mark of a step that is done."""

from pathlib import Path

import pytest

from merit.errors import MeritError
from merit.jobs.mark import Mark


@pytest.fixture
def mark(tmp_path: Path) -> Mark:
    return Mark(tmp_path / "log" / "train.done", "1234 train", [tmp_path / "exp", tmp_path / "exp" / "model"])


def write_outputs(mark: Mark) -> None:
    mark.outputs[0].mkdir(exist_ok=True)
    mark.outputs[1].touch()


def test_a_step_is_done_with_the_same_text_and_its_outputs(mark: Mark) -> None:
    assert not mark.is_set()
    write_outputs(mark)
    assert not mark.is_set()
    mark.set(Path("train.log"))
    assert mark.is_set()
    assert not Mark(mark.path, "1234 train more", mark.outputs).is_set()
    assert not Mark(mark.path, "1234", mark.outputs).is_set()
    mark.outputs[1].unlink()
    assert not mark.is_set()
    mark.outputs[1].touch()
    mark.remove()
    mark.remove()  # of a step that was never done
    assert not mark.is_set()


def test_an_output_that_is_not_there_is_named_and_leaves_no_mark(mark: Mark) -> None:
    mark.outputs[0].mkdir()
    sentence = f"{mark.path.parent}/train: ended well, but did not write {mark.outputs[1]}; see train.log"
    with pytest.raises(MeritError, match=sentence):
        mark.set(Path("train.log"))
    assert not mark.path.exists()


def test_the_first_line_is_the_text_and_the_second_says_who_did_it(mark: Mark, monkeypatch) -> None:
    write_outputs(mark)
    monkeypatch.setattr("os.getpid", lambda: 77)
    mark.set(Path("train.log"))
    first, second = mark.path.read_text().splitlines()
    assert first == "1234 train" and second.startswith("finished 2") and second.endswith(" by process 77")
