"""Utterances as training examples: what is read, and what is said of data that cannot be used."""

import numpy as np
import pytest
import soundfile
import torch

from merit.data.audio import write_audio
from merit.data.datadir import read_table, write_table
from merit.data.noise.online.online_speech import OnlineSpeech
from merit.data.statistics import WaveformStatistics, waveform_statistics
from merit.errors import MeritError
from merit.systems.sparse_merit.phases.dataset import UtteranceDataset

CLASSES = ["sad", "neutral", "angry", "happy"]


@pytest.fixture
def directory(corpus, tmp_path):
    """A copy whose tables may be changed."""
    for file in corpus["dev"].iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    return tmp_path


def test_waveforms_are_normalised_alike_and_labels_follow_the_classes(corpus):
    statistics = WaveformStatistics(mean=0.01, std=0.2, samples=1)
    dataset = UtteranceDataset(corpus["dev"], statistics, classes=CLASSES, clean=True)
    emotions = read_table(corpus["dev"] / "utt2emo")
    assert len(dataset) == 5
    for place, key in enumerate(dataset.keys):
        item = dataset[place, 0]
        assert item.keys == [key] and CLASSES[item.labels] == emotions[key]
        for name, table in (("noisy", "wav.scp"), ("clean", "spk1.scp")):
            samples = soundfile.read(read_table(corpus["dev"] / table)[key])[0]
            np.testing.assert_allclose(getattr(item, name)[0], (samples - 0.01) / 0.2, atol=1e-5)
        assert item.lengths.tolist() == [len(samples)]


def test_seconds_are_what_training_hears(corpus):
    statistics = waveform_statistics(corpus["dev"])
    whole = UtteranceDataset(corpus["dev"], statistics)
    assert whole.seconds == [samples / 16000 for samples in whole.samples]
    cropped = UtteranceDataset(corpus["dev"], statistics, crop_frames=32)  # 0.64 s
    assert cropped.seconds == [min(seconds, 0.64) for seconds in whole.seconds]
    assert min(whole.seconds) < 0.64 < max(whole.seconds)


def test_items_join_to_a_batch(corpus):
    dataset = UtteranceDataset(corpus["dev"], waveform_statistics(corpus["dev"]))
    items = [dataset[place, 0] for place in range(5)]
    batch = dataset.collate(items)
    assert batch.keys == dataset.keys and batch.noisy.shape == (5, max(dataset.samples))
    assert all(torch.equal(row[:length], item.noisy[0]) for row, length, item in zip(batch.noisy, batch.lengths, items))


def test_clean_speech_of_another_length_is_refused(directory, tmp_path):
    clean = read_table(directory / "spk1.scp")
    write_audio(tmp_path / "short.flac", np.zeros(6000, dtype=np.float32))
    write_table(directory / "spk1.scp", {**clean, "dev001": tmp_path / "short.flac"})
    dataset = UtteranceDataset(directory, waveform_statistics(directory), clean=True)
    with pytest.raises(MeritError, match=r"dev001: \d+ noisy and 6000 clean samples.*stage 2"):
        dataset[1, 0]


def test_an_utterance_shorter_than_a_frame_is_refused(directory, tmp_path):
    write_audio(tmp_path / "tiny.flac", np.zeros(399, dtype=np.float32))
    write_table(directory / "wav.scp", {**read_table(directory / "wav.scp"), "dev002": tmp_path / "tiny.flac"})
    with pytest.raises(MeritError, match=r"dev002 .*tiny.flac.* has 399 samples at 16 kHz, less than the 400"):
        UtteranceDataset(directory, WaveformStatistics(0.0, 1.0, 1))[2, 0]


def test_a_label_that_is_missing_is_named(directory):
    emotions = read_table(directory / "utt2emo")
    del emotions["dev003"]
    write_table(directory / "utt2emo", emotions)
    with pytest.raises(MeritError, match="utt2emo: no line for utterance dev003"):
        UtteranceDataset(directory, WaveformStatistics(0.0, 1.0, 1), classes=CLASSES)


def test_what_is_heard_online_follows_from_the_epoch(online_corpus):
    statistics = WaveformStatistics(mean=0.01, std=0.2, samples=1)
    speech = OnlineSpeech(online_corpus["train"])
    dataset = UtteranceDataset(online_corpus["train"], statistics, classes=CLASSES, clean=True)
    for epoch in (0, 4):
        item = dataset[7, epoch]
        mixture = speech.draw(dataset.keys[7], epoch).mixture
        np.testing.assert_allclose(item.noisy[0], (mixture.noisy - 0.01) / 0.2, atol=1e-5)
        np.testing.assert_allclose(item.clean[0], (mixture.clean - 0.01) / 0.2, atol=1e-5)
        assert item.lengths.tolist() == [len(mixture.noisy)] == [dataset.samples[7]]
    assert not torch.equal(dataset[7, 0].noisy, dataset[7, 4].noisy)
    assert UtteranceDataset(online_corpus["train"], statistics)[7, 0].clean is None


def test_no_dump_goes_with_mixtures_of_each_epoch(online_corpus):
    with pytest.raises(MeritError, match="train_online: mixed anew in every epoch, so no dump holds what is heard"):
        UtteranceDataset(online_corpus["train"], WaveformStatistics(0.0, 1.0, 1), features=object())
