"""Dumped features: what they hold, and going on where a dump was stopped."""

import pytest
import torch

from merit.data.audio import read_audio
from merit.data.datadir import read_table
from merit.errors import MeritError
from merit.systems.smoe import feature_dump
from merit.systems.smoe.feature_dump import dump_features, feature_header, open_features
from merit.systems.smoe.log_mel_features import log_mel


def test_every_utterance_is_there_in_16_bits(speech_corpus, tmp_path):
    dump_features(speech_corpus["dev"], tmp_path / "dump", mel_bins=40)
    reader = open_features(tmp_path / "dump", speech_corpus["dev"], 40)
    wav = read_table(speech_corpus["dev"] / "wav.scp")
    assert reader.keys == list(wav) and reader.header["features"] == feature_header(40)["features"]
    for key, entry in wav.items():
        assert torch.equal(reader.read(key), log_mel(read_audio(entry, key), key, 40).half())


def test_a_stopped_dump_goes_on(speech_corpus, tmp_path, monkeypatch):
    real, made = feature_dump._features, []

    def stopping(entry, key, mel_bins):
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(key)
        return real(entry, key, mel_bins)

    monkeypatch.setattr(feature_dump, "AT_ONCE", 1)
    monkeypatch.setattr(feature_dump, "_features", stopping)
    with pytest.raises(KeyboardInterrupt):
        dump_features(speech_corpus["dev"], tmp_path / "dump")
    with pytest.raises(MeritError, match="no complete dump"):
        open_features(tmp_path / "dump", speech_corpus["dev"], 80)
    monkeypatch.setattr(feature_dump, "_features", lambda *arguments: made.append(arguments[1]) or real(*arguments))
    dump_features(speech_corpus["dev"], tmp_path / "dump")
    assert made == ["dev000", "dev001", "dev002", "dev003", "dev004"]
    assert len(open_features(tmp_path / "dump", speech_corpus["dev"], 80).keys) == 5


def test_no_process_is_refused(speech_corpus, tmp_path):
    with pytest.raises(MeritError, match="--nj 0: expected at least one process"):
        dump_features(speech_corpus["dev"], tmp_path / "dump", nj=0)
