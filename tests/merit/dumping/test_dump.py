"""A dump of states or features, as the recipe makes it."""

import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch

from merit.data.audio import read_audio, write_audio
from merit.data.datadir import read_table
from merit.data.states.shard_reader import ShardReader
from merit.data.statistics import WaveformStatistics
from merit.dumping import dump as dump_module
from merit.dumping.dump import dump_states, state_header
from merit.errors import MeritError
from merit.nets.ssl import load_encoder


def test_dump_holds_the_states_of_every_utterance(corpus):
    dump_states(**corpus, batch_seconds=1.0)
    statistics = WaveformStatistics.load(corpus["statistics"])
    encoder = load_encoder(corpus["ssl"]).eval()
    reader = ShardReader(corpus["output"], state_header(encoder, statistics))
    wav = read_table(corpus["data"] / "wav.scp")
    assert reader.keys == list(wav)
    for key, entry in wav.items():
        waveform = torch.from_numpy((read_audio(entry, key) - 0.01) / 0.2).float()[None]
        with torch.no_grad():
            states, frames = encoder(waveform, torch.tensor([waveform.shape[1]]))
        assert reader.frames(key) == frames.item() == (waveform.shape[1] - 400) // 320 + 1
        # bfloat16 keeps 8 bits of the mantissa.
        assert torch.allclose(reader.read(key).float(), states[0], rtol=2**-8, atol=1e-5)
    assert reader.header["dtype"] == "bfloat16"


def encoded(corpus, method):
    """What the encoder gives for every utterance on its own."""
    encoder = load_encoder(corpus["ssl"]).eval()
    values = {}
    for key, entry in read_table(corpus["data"] / "wav.scp").items():
        waveform = torch.from_numpy((read_audio(entry, key) - 0.01) / 0.2).float()[None]
        with torch.no_grad():
            values[key] = getattr(encoder, method)(waveform, torch.tensor([waveform.shape[1]]))[0][0]
    return values


def test_dump_of_features_holds_what_the_front_end_gives_and_the_states_follow(corpus):
    dump_states(**corpus, batch_seconds=1.0, content="features")
    encoder = load_encoder(corpus["ssl"]).eval()
    statistics = WaveformStatistics.load(corpus["statistics"])
    reader = ShardReader(corpus["output"], state_header(encoder, statistics, "features"))
    features, states = encoded(corpus, "features"), encoded(corpus, "forward")
    assert reader.keys == sorted(features)
    for key in reader.keys:
        found = reader.read(key)
        assert found.shape == features[key].shape == (reader.frames(key), 8)
        assert torch.allclose(found.float(), features[key], rtol=2**-8, atol=1e-5)
        with torch.no_grad():
            followed, _ = encoder.states(found.float()[None], torch.tensor([len(found)]))
        assert torch.allclose(followed[0], states[key], atol=0.05)
    with pytest.raises(MeritError, match="content is features there and states here"):
        ShardReader(corpus["output"], state_header(encoder, statistics))
    with pytest.raises(MeritError, match="content is features there and states here"):
        dump_states(**corpus)


def test_features_computed_in_bfloat16_lose_nothing(corpus):
    dump_states(**corpus | {"precision": "bfloat16"}, content="features", batch_seconds=0.01)
    reader = ShardReader(corpus["output"])
    with torch.autocast("cpu", torch.bfloat16):
        features = encoded(corpus, "features")
    assert all(torch.equal(reader.read(key), features[key]) for key in reader.keys)


def test_killed_dump_goes_on_and_complete_dump_is_left_alone(corpus, monkeypatch, caplog):
    caplog.set_level("INFO")
    computed = []
    write = dump_module.ShardWriter.write

    def killed_after_three(self, key, states):
        write(self, key, states)
        computed.append(key)
        if len(computed) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(dump_module.ShardWriter, "write", killed_after_three)
    with pytest.raises(KeyboardInterrupt):
        dump_states(**corpus, batch_seconds=0.1)
    dump_states(**corpus, batch_seconds=0.1)
    assert sorted(computed) == sorted(set(computed)) == ShardReader(corpus["output"]).keys
    assert "going on, 3 utterances are there" in caplog.text
    stamps = {path: path.stat().st_mtime_ns for path in corpus["output"].glob("states.*")}
    dump_states(**corpus, batch_seconds=0.1)
    assert len(computed) == 7
    assert "complete, 7 utterances" in caplog.text
    assert stamps == {path: path.stat().st_mtime_ns for path in corpus["output"].glob("states.*")}


def test_other_statistics_and_other_audio_are_not_mixed_in(corpus, tmp_path):
    dump_states(**corpus)
    WaveformStatistics(mean=0.01, std=0.3, samples=1).save(tmp_path / "other.json")
    with pytest.raises(MeritError, match="std is 0.2 there and 0.3 here"):
        dump_states(**corpus | {"statistics": tmp_path / "other.json"})
    write_audio(tmp_path / "audio" / "u3.flac", np.zeros(8000, dtype=np.float32))
    with pytest.raises(MeritError, match="audio is"):
        dump_states(**corpus)


@pytest.mark.parametrize("content, values", [("states", 3 * 16), ("features", 8)])
def test_disk_is_estimated_before_the_first_byte(corpus, monkeypatch, content, values):
    samples = [round(float(value) * 16000) for value in read_table(corpus["data"] / "utt2dur").values()]
    needed = sum((count - 400) // 320 + 1 for count in samples) * values * 2
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, needed - 1))
    with pytest.raises(MeritError, match="are needed and .* are free"):
        dump_states(**corpus, content=content)
    assert not list(corpus["output"].iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, needed))
    dump_states(**corpus, content=content)
    stored = sum(path.stat().st_size for path in corpus["output"].glob("states.*"))
    assert needed < stored < needed + 2000  # a header besides


def test_a_number_of_processes_is_at_least_one(corpus):
    with pytest.raises(MeritError, match="--nj 0: expected the number of processes"):
        dump_states(**corpus, nj=0)


def test_command_line_reports_errors_in_one_line(corpus):
    root = Path(__file__).parents[3]
    options = [f"--{name}={value}" for name, value in corpus.items() if name != "ssl"]
    command = [sys.executable, "-m", "merit.bin.dump_states", *options, "--ssl=/no/such/encoder"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "error: /no/such/encoder" in result.stderr and "Traceback" not in result.stderr
