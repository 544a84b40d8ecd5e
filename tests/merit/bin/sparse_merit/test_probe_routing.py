"""The command that overrules the gates of a model."""

import sys

from merit.bin.sparse_merit.probe_routing import probe_routing
from merit.command import run_command
from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory
from merit.systems.sparse_merit.results.probe_scores import read_probe


def test_the_command_writes_the_scores_under_every_rule(model_directory, make_speech, tmp_path, monkeypatch):
    for name, seed in (("noisy", 0), ("clean", 1)):
        write_audio(tmp_path / f"{name}.flac", make_speech(0.5, seed))
    data, clean = tmp_path / "data" / "test_wind_0dB", {"spk1.scp": {"u": tmp_path / "clean.flac"}}
    write_data_directory(data, {"u": tmp_path / "noisy.flac"}, {"u": "speaker"}, utt2emo={"u": "sad"}, **clean)
    output = tmp_path / "routing_probe.csv"
    options = ["--model", str(model_directory), "--data", f"[{data}]", "--output", str(output), "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["probe_routing", *options, "--precision", "float32"])
    run_command(probe_routing)
    rows = read_probe(output)
    assert [row.gate for row in rows] == ["own", "other", "expert_0", "expert_1", "expert_2"]
    assert {row.condition for row in rows} == {"test_wind_0dB"}
