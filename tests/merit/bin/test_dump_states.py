"""Dump and export of states, as the recipe calls them."""

import re
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch

from merit.bin.dump_states import dump_states
from merit.bin.export_states import export_states
from merit.data.audio import kaldiio, read_audio, write_audio
from merit.data.datadir import read_table, write_data_directory
from merit.data.state_shards import ShardReader
from merit.data.statistics import WaveformStatistics
from merit.errors import MeritError
from merit.nets.ssl import load_encoder
from merit.training import dump as dump_module
from merit.training.dump import state_header


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


def test_disk_is_estimated_before_the_first_byte(corpus, monkeypatch):
    samples = [round(float(value) * 16000) for value in read_table(corpus["data"] / "utt2dur").values()]
    needed = sum((count - 400) // 320 + 1 for count in samples) * 3 * 16 * 2
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, needed - 1))
    with pytest.raises(MeritError, match="are needed and .* are free"):
        dump_states(**corpus)
    assert not list(corpus["output"].iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(0, 0, needed))
    dump_states(**corpus)
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


def test_batches_keep_to_their_seconds_and_hold_every_utterance():
    lengths = np.random.default_rng(0).integers(16000, 160000, size=300)
    samples = {f"u{i:03d}": int(length) for i, length in enumerate(lengths)}
    batches = dump_module._batches(samples, batch_seconds=40.0)
    assert sorted(key for batch in batches for key in batch) == sorted(samples)
    padded = [len(batch) * max(samples[key] for key in batch) / 16000 for batch in batches]
    assert max(padded) <= 40.0
    assert sum(samples.values()) / 16000 / sum(padded) > 0.9
    assert dump_module._batches({"long": 10**6, "short": 16000}, 10.0) == [["long"], ["short"]]
