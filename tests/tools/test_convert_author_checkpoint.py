"""tools/convert_author_checkpoint.py: what it writes is a model to the commands and to stage 6."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from author_release import random_release

from merit import cli
from merit.systems.sparse_merit.decoding import decode_conditions
from merit.systems.sparse_merit.results.run_files import read_routing

TOOL = Path(__file__).resolve().parents[2] / "tools/convert_author_checkpoint.py"

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


def run(monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", [str(TOOL), *(str(option) for option in options)])
    runpy.run_path(str(TOOL), run_name="__main__")


@pytest.fixture
def recording(tmp_path):
    """Samples of a made-up signal, and data/babble_5dB with it as utterance a."""
    samples = (0.05 * np.random.default_rng(0).standard_normal(12000)).astype(np.float32)
    data = tmp_path / "data" / "babble_5dB"
    data.mkdir(parents=True)
    soundfile.write(data / "a.wav", samples, 16000, subtype="FLOAT")
    (data / "wav.scp").write_text(f"a {data / 'a.wav'}\n")
    return samples, data


def test_every_command_takes_what_it_writes(monkeypatch, recording, tmp_path, capsys):
    samples, data = recording
    release = random_release()
    logits, enhanced, experts = release.evaluate(samples)
    model = tmp_path / "model"
    run(monkeypatch, "--checkpoint", release.save(tmp_path / "authors"), "--output", model)
    assert f"{tmp_path / 'authors'} -> {model}" in capsys.readouterr().out

    cli.main(["emotion", str(data / "a.wav"), "--model", str(model), "--device", "cpu"])
    header, row = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert header == ["file", "emotion", "angry", "sad", "happy", "neutral"]
    assert row[1] == header[2 + int(logits.argmax())]
    # The processor may compute in bfloat16.
    assert [float(value) for value in row[2:]] == pytest.approx(logits.softmax(dim=0).tolist(), abs=0.02)

    cli.main(["enhance", str(data / "a.wav"), "--model", str(model), "--output", str(tmp_path / "out")])
    assert soundfile.info(tmp_path / "out" / "a.wav").frames == len(samples)

    decode_conditions(model, [data], tmp_path / "decode", 60, "cpu", "float32")
    decoded = tmp_path / "decode" / data.name
    assert (decoded / "utt2emo").read_text() == f"a {row[1]}\n"
    written, _ = soundfile.read(decoded / "audio" / "a.flac")
    assert np.abs(written - enhanced).max() < 1 / 32768
    tasks, found = read_routing(decoded / "routing.npz")
    for task, of_task in zip(tasks, found["a"], strict=True):
        assert of_task.tolist() == experts[task].tolist()


def test_statistics_by_hand(monkeypatch, tmp_path):
    from merit.systems.sparse_merit.description import read_description

    folder = random_release().save(tmp_path / "authors")
    (folder / "train_norm_stat.pkl").unlink()
    run(monkeypatch, "--checkpoint", folder, "--output", tmp_path / "model", "--mean", 0.001, "--std", 0.08)
    statistics = read_description(tmp_path / "model").statistics
    assert (statistics.mean, statistics.std) == (0.001, 0.08)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--mean", "0.1"], "--mean 0.1 --std None: expected both"),
        (["--mean", "0.1", "--std", "0"], "--std 0.0: expected both, the second above 0"),
        ([], "empty: of the authors' files it lacks final_ssl.pt"),
    ],
)
def test_errors_come_without_traceback(monkeypatch, tmp_path, options, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, "--checkpoint", tmp_path / "empty", "--output", tmp_path / "model", *options)
    assert str(end.value).startswith("error: ") and message in str(end.value)
    assert not (tmp_path / "model").exists()
