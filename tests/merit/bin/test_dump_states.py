"""Dump and export of states, as the recipe calls them."""

import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch

from merit.bin.export_states import export_states
from merit.data.audio import kaldiio, read_audio, write_audio
from merit.data.datadir import read_table, write_data_directory
from merit.data.states.shard_reader import ShardReader
from merit.data.statistics import WaveformStatistics
from merit.dumping import dump as dump_module
from merit.dumping.dump import dump_states, state_header
from merit.errors import MeritError
from merit.nets.ssl import load_encoder


@pytest.fixture
def corpus(tmp_path):
    """A data directory of seven noises, statistics, and a tiny WavLM: their paths."""
    from transformers import WavLMConfig, WavLMModel

    torch.manual_seed(0)
    config = WavLMConfig(
        conv_dim=[8] * 7,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        do_stable_layer_norm=True,
        feat_extract_norm="layer",
    )
    WavLMModel(config).save_pretrained(tmp_path / "wavlm")
    generator = np.random.default_rng(0)
    samples = {f"u{i}": int(length) for i, length in enumerate(generator.integers(400, 9000, size=7))}
    for key, length in samples.items():
        write_audio(tmp_path / "audio" / f"{key}.flac", 0.1 * generator.standard_normal(length).astype(np.float32))
    write_data_directory(
        tmp_path / "data",
        wav={key: str(tmp_path / "audio" / f"{key}.flac") for key in samples},
        utt2spk=dict.fromkeys(samples, "s"),
        utt2dur={key: f"{length / 16000:.6f}" for key, length in samples.items()},
    )
    WaveformStatistics(mean=0.01, std=0.2, samples=1).save(tmp_path / "stats.json")
    return {
        "data": tmp_path / "data",
        "ssl": str(tmp_path / "wavlm"),
        "output": tmp_path / "states",
        "statistics": tmp_path / "stats.json",
        "precision": "float32",
    }


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


def read_all(directory):
    reader = ShardReader(directory)
    return {key: reader.read(key).clone() for key in reader.keys}


def test_two_processes_give_what_one_gives(corpus, tmp_path):
    dump_states(**corpus, batch_seconds=0.5)
    dump_states(**corpus | {"output": tmp_path / "two"}, batch_seconds=0.5, nj=2)
    one, two = read_all(corpus["output"]), read_all(tmp_path / "two")
    assert one.keys() == two.keys()
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert len(list((tmp_path / "two").glob("states.*"))) == 2
    assert (corpus["output"] / "header.json").read_text() == (tmp_path / "two" / "header.json").read_text()


def test_an_error_in_one_of_two_processes_ends_both_and_one_goes_on(corpus, tmp_path):
    path = tmp_path / "audio" / "u2.flac"
    audio, times = path.read_bytes(), path.stat()

    def rewrite(content):  # unnoticed by the dump's header
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    rewrite(bytes(len(audio)))
    with pytest.raises(MeritError, match="u2: "):
        dump_states(**corpus, batch_seconds=0.01, nj=2)
    assert not (corpus["output"] / "header.json").exists()
    assert not list(corpus["output"].glob(".*"))
    kept = {path: path.read_bytes() for path in corpus["output"].glob("states.*")}
    rewrite(audio)
    dump_states(**corpus, batch_seconds=0.01)
    assert all(path.read_bytes() == content for path, content in kept.items())
    dump_states(**corpus | {"output": tmp_path / "anew"}, batch_seconds=0.01)
    found, anew = read_all(corpus["output"]), read_all(tmp_path / "anew")
    assert found.keys() == anew.keys()
    assert all(torch.equal(found[key], anew[key]) for key in anew)


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


def test_errors_name_the_utterance(corpus, tmp_path):
    write_audio(tmp_path / "audio" / "u2.flac", np.zeros(399, dtype=np.float32))
    with pytest.raises(MeritError, match="u2: 0.025 s, shorter than one frame"):
        dump_states(**corpus)
    (tmp_path / "audio" / "u2.flac").write_bytes(b"")
    with pytest.raises(MeritError, match="u2: .*empty"):
        dump_states(**corpus)
    durations = read_table(corpus["data"] / "utt2dur") | {"u4": "0.01"}
    (corpus["data"] / "utt2dur").write_text("".join(f"{key} {value}\n" for key, value in durations.items()))
    with pytest.raises(MeritError, match=re.escape("u4: 0.010 s, shorter than one frame of the encoder (0.025 s)")):
        dump_states(**corpus)


def test_a_number_of_processes_is_at_least_one(corpus):
    with pytest.raises(MeritError, match="--nj 0: expected the number of processes"):
        dump_states(**corpus, nj=0)


def test_states_beyond_float16_are_refused(corpus):
    encoder = load_encoder(corpus["ssl"])
    torch.nn.init.constant_(encoder.model.encoder.layers[1].feed_forward.output_dense.bias, 1e5)
    encoder.model.save_pretrained(corpus["ssl"])
    with pytest.raises(MeritError, match="u.: its states are not finite in float16; dump with --dtype bfloat16"):
        dump_states(**corpus, dtype="float16")
    shutil.rmtree(corpus["output"])
    dump_states(**corpus)


def test_export_gives_kaldi_matrices(corpus, tmp_path):
    dump_states(**corpus)
    export_states(corpus["output"], tmp_path / "kaldi")
    reader = ShardReader(corpus["output"])
    matrices = kaldiio.load_scp(str(tmp_path / "kaldi" / "states.scp"))
    assert sorted(matrices) == reader.keys
    for key in reader.keys:
        assert matrices[key].dtype == np.float32
        assert np.array_equal(matrices[key], reader.read(key).float().flatten(1).numpy())


def test_command_line_reports_errors_in_one_line(corpus):
    root = Path(__file__).parents[3]
    options = [f"--{name}={value}" for name, value in corpus.items() if name != "ssl"]
    command = [sys.executable, "-m", "merit.bin.dump_states", *options, "--ssl=/no/such/encoder"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "error: /no/such/encoder" in result.stderr and "Traceback" not in result.stderr
