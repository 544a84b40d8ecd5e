"""What one process computes of a dump: values that are refused."""

import re
import shutil

import numpy as np
import pytest
import torch

from merit.data.audio import write_audio
from merit.data.datadir import read_table
from merit.dumping.dump import dump_states
from merit.errors import MeritError
from merit.nets.ssl import load_encoder


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
