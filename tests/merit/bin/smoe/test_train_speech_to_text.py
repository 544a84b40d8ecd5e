"""The command that trains: a method's file, and options that do not exist."""

import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[4]
METHODS = sorted((ROOT / "egs/TEMPLATE/conf/smoe").glob("*.yaml"))


def command(*arguments):
    line = [sys.executable, "-m", "merit.bin.smoe.train_speech_to_text", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, cwd=ROOT)


def test_a_method_s_file_is_a_configuration(tmp_path):
    conf = tmp_path / "smoe.yaml"
    conf.write_text("model:\n  size: 8\n  heads: 2\ntraining:\n  epochs: 1\n")
    (method,) = [path for path in METHODS if path.stem == "dec_smoe"]
    shown = command("--config", conf, "--config", method, "--source_lang", "en", "--print_config").stdout
    assert "size: 8" in shown and "decoder_experts: 2" in shown and "title: DecS-MoE" in shown


def test_every_method_is_readable():
    assert {path.stem for path in METHODS} >= {
        "base", "dec_ffn_x2", "dec_smoe", "encdec_smoe", "learned_moe", "upcycled",
    }  # fmt: skip
    arguments = [word for path in METHODS for word in ("--config", path)]
    result = command(*arguments, "--source_lang", "en", "--print_config")
    assert result.returncode == 0, result.stderr


def test_an_unknown_option_is_refused():
    result = command("--source_lang", "en", "--training.epochz", "3", "--print_config")
    assert result.returncode == 2 and "epochz" in result.stderr


@pytest.mark.parametrize("languages", [("--target_lang", "fr"), ()])
def test_it_trains_the_tasks_that_have_a_language(tmp_path, languages):
    from small_smoe import ENGLISH, FRENCH, make_set

    from merit.systems.smoe.vocabulary import train_vocabulary

    train, dev = make_set(tmp_path, "train", 6, 1), make_set(tmp_path, "dev", 2, 2)
    (tmp_path / "v.model").write_bytes(train_vocabulary([*ENGLISH, *FRENCH] * 5, ["en", "fr"], 290))
    conf = tmp_path / "smoe.yaml"
    sizes = "size: 8, feed_forward_size: 8, heads: 2, encoder_layers: 1, decoder_layers: 1, subsampling_channels: 4"
    conf.write_text(f"model: {{{sizes}}}\ntraining: {{epochs: 1, precision: float32, workers: 0}}\n")
    inputs = ("--train", f"[{train}]", "--dev", f"[{dev}]", "--vocabulary", tmp_path / "v.model")
    result = command("--config", conf, *inputs, "--source_lang", "en", *languages, "--output", tmp_path / "run")
    assert result.returncode == 0, result.stderr
    assert load_file(tmp_path / "run/model.safetensors")
    assert ("accuracy_translate" in (tmp_path / "run/history.csv").read_text()) == bool(languages)
