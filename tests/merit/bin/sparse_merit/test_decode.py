"""The command that decodes."""

import json

import pytest

from merit.bin.sparse_merit import decode as command
from merit.command import run_command
from merit.data.audio import write_audio
from merit.data.datadir import read_table, write_data_directory
from merit.systems.sparse_merit.inference import Merit


def test_options_of_the_command_reach_the_decoder(model_directory, make_speech, tmp_path, monkeypatch):
    speech = make_speech(0.8, 3)
    write_audio(tmp_path / "u0.flac", speech)
    write_data_directory(tmp_path / "data/test", {"u0": tmp_path / "u0.flac"}, {"u0": "speaker"})
    options = {"model": model_directory, "data": f"[{tmp_path / 'data/test'}]", "output": tmp_path / "decode"}
    options |= {"device": "cpu", "precision": "float32"}
    arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    monkeypatch.setattr("sys.argv", ["decode", *arguments])
    run_command(command.decode)
    expected = Merit.from_pretrained(model_directory, "cpu", "float32")(speech, 16000).emotion
    assert read_table(tmp_path / "decode/test/utt2emo") == {"u0": max(expected, key=expected.get)}
    assert json.loads((tmp_path / "decode/test/decode.json").read_text())["precision"] == "float32"
    assert not (tmp_path / "decode/test/.lock").exists()


def test_a_mistyped_precision_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["decode", "--model", "a", "--data", "[b]", "--output", "c", "--precision", "fp8"])
    with pytest.raises(SystemExit) as ended:
        run_command(command.decode)
    assert ended.value.code == 2 and "precision" in capsys.readouterr().err
