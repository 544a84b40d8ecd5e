"""Files appear whole or not at all, and a place that takes no more says why."""

import errno
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from merit.command import errors_as_exit_status
from merit.data import audio
from merit.data import tensors as tensor_files
from merit.data.audio import write_audio
from merit.data.tensors import save_tensors
from merit.errors import MeritError
from merit.files import atomic_path, csv_text, write_text
from merit.training.run_state import save_state

REASONS = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the quota is used up; free some space and run the same command again",
    errno.EROFS: "the file system is read-only; make it writable, or write elsewhere, and run the same command again",
}
of_every_kind = pytest.mark.parametrize("number", REASONS, ids=errno.errorcode.get)


def refuse(number):
    def fail(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return fail


def test_what_fails_leaves_nothing_and_keeps_what_was_there(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "first")
    with pytest.raises(ValueError), atomic_path(tmp_path / "new" / "a.txt") as temporary:
        temporary.write_text("half")
        raise ValueError
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]
    assert (tmp_path / "new" / "a.txt").read_text() == "first"


@of_every_kind
@pytest.mark.parametrize("function", ["mkdir", "touch", "write_text", "replace", "unlink"])
def test_each_way_to_fail_names_the_file_and_what_to_do(tmp_path, monkeypatch, number, function):
    monkeypatch.setattr(os if function == "replace" else Path, function, refuse(number))
    with pytest.raises(MeritError) as error:
        write_text(tmp_path / "a.txt", "text")
    assert str(error.value) == f"{tmp_path / 'a.txt'}: {REASONS[number]}"


def test_another_error_of_the_system_stays_what_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", refuse(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        write_text(tmp_path / "a.txt", "text")
    assert list(tmp_path.iterdir()) == []


@of_every_kind
def test_every_command_ends_with_that_sentence(number, capsys):
    with pytest.raises(SystemExit) as end, errors_as_exit_status():
        raise OSError(number, os.strerror(number), "exp/a.csv")
    assert end.value.code == f"error: exp/a.csv: {REASONS[number]}"


@of_every_kind
def test_tensors(tmp_path, monkeypatch, number):
    def refuse_in_rust(tensors, path, metadata):
        raise tensor_files.SafetensorError(f"I/O error: {os.strerror(number)} (os error {number}) at path {path}")

    monkeypatch.setattr(tensor_files, "save_file", refuse_in_rust)
    with pytest.raises(MeritError) as error:
        save_tensors({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    assert str(error.value) == f"{tmp_path / 'a.safetensors'}: {REASONS[number]}"


@pytest.mark.parametrize(
    "words, kind",
    [
        ("I/O error: Input/output error (os error 5)", OSError),
        ("Error while serializing: duplicate name", tensor_files.SafetensorError),
    ],
)
def test_another_error_of_safetensors_stays_what_it_is(tmp_path, monkeypatch, words, kind):
    def refuse_in_rust(tensors, path, metadata):
        raise tensor_files.SafetensorError(words)

    monkeypatch.setattr(tensor_files, "save_file", refuse_in_rust)
    with pytest.raises(kind, match=re.escape(words)):
        save_tensors({"a": torch.zeros(1)}, tmp_path / "a.safetensors")


@of_every_kind
def test_audio_on_a_place_that_takes_no_file(tmp_path, monkeypatch, number):
    # libsndfile does not say why it cannot open a file.
    monkeypatch.setattr(Path, "touch", refuse(number))
    with pytest.raises(MeritError) as error:
        write_audio(tmp_path / "a.flac", np.zeros(10))
    assert str(error.value) == f"{tmp_path / 'a.flac'}: {REASONS[number]}"


def test_audio_that_is_cut_short_speaks_of_disk_and_quota(tmp_path, monkeypatch):
    def write_nothing(*arguments, **options):
        raise audio.soundfile.LibsndfileError(157)

    monkeypatch.setattr(audio.soundfile, "write", write_nothing)
    with pytest.raises(MeritError, match="a.flac: not written whole; the disk is most likely full, or the quota"):
        write_audio(tmp_path / "a.flac", np.zeros(10))


@of_every_kind
def test_a_state_of_training_on_a_place_that_takes_no_file(tmp_path, monkeypatch, number):
    monkeypatch.setattr(Path, "touch", refuse(number))  # torch's own words are "open file failed"
    with pytest.raises(MeritError) as error:
        save_state({"model": torch.zeros(1)}, tmp_path)
    assert str(error.value) == f"{tmp_path / 'last.pt'}: {REASONS[number]}"


def test_a_state_of_training_that_is_cut_short_speaks_of_disk_and_quota(tmp_path, monkeypatch):
    def write_some(state, path):
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534")

    monkeypatch.setattr(torch, "save", write_some)
    with pytest.raises(MeritError, match="not written whole; the disk is most likely full, or the quota used up"):
        save_state({"model": torch.zeros(1)}, tmp_path)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_become_csv_that_reads_back(end):
    rows = [("u1", 'two, "words"', 0.5), ("u2", None, 7)]
    text = csv_text(("utt", "text", "value"), iter(rows), line_end=end)
    assert text == f'utt,text,value{end}u1,"two, ""words""",0.5{end}u2,,7{end}'
