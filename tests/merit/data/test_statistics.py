import json
import os

import numpy as np
import pytest
import soundfile
import torch
from made_mixing import make_online_set

from merit.data.datadir import write_data_directory
from merit.data.noise.online.online_speech import OnlineSpeech
from merit.data.statistics import WaveformStatistics, waveform_statistics
from merit.errors import MeritError


@pytest.fixture
def directory(tmp_path):
    generator = np.random.default_rng(0)
    wav = {}
    for number, length in enumerate([1000, 4321, 16000]):
        wav[f"u{number}"] = str(tmp_path / f"u{number}.wav")
        samples = 0.02 + 0.1 * (number + 1) * generator.standard_normal(length)
        soundfile.write(wav[f"u{number}"], samples, 16000, subtype="FLOAT")
    write_data_directory(tmp_path / "data", wav, {name: "s" for name in wav})
    return tmp_path / "data"


def all_files(directory):
    return [line.split()[1] for line in (directory / "wav.scp").read_text().splitlines()]


def all_samples(directory):
    return np.concatenate([soundfile.read(file)[0] for file in all_files(directory)])


def test_statistics_are_those_of_all_samples_together(directory):
    samples = all_samples(directory)
    statistics = waveform_statistics(directory)
    assert statistics.samples == len(samples) == 21321
    assert statistics.mean == pytest.approx(samples.mean(), rel=1e-12)
    assert statistics.std == pytest.approx(samples.std(), rel=1e-12)
    assert WaveformStatistics.load(directory / "waveform_stats.json") == statistics


def test_two_processes_give_the_same_numbers(directory):
    alone = waveform_statistics(directory)
    (directory / "waveform_stats.json").unlink()
    assert waveform_statistics(directory, nj=2) == alone


def test_kept_statistics_are_used_until_the_audio_changes(directory):
    kept, scp = directory / "waveform_stats.json", directory / "wav.scp"
    first, expected = all_samples(directory), waveform_statistics(directory)
    # Not computed again, which would correct this.
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"mean": 0.5}))
    later = kept.stat().st_mtime_ns + 10**9
    os.utime(scp, ns=(later, later))  # touched, as by a copy of the tables
    assert waveform_statistics(directory).mean == 0.5
    # Mixed again, as with another seed: the same names and tables, written before the statistics were.
    soundfile.write(all_files(directory)[0], 0.3 * first[:1000], 16000, subtype="FLOAT")
    os.utime(scp, ns=(1, 1))
    assert waveform_statistics(directory).mean == pytest.approx(all_samples(directory).mean())
    assert waveform_statistics(directory).mean != pytest.approx(expected.mean)


def test_statistics_that_do_not_say_of_which_audio_are_computed_again(directory):
    WaveformStatistics(mean=0.5, std=2.0, samples=3).save(directory / "waveform_stats.json")
    assert waveform_statistics(directory).mean == pytest.approx(all_samples(directory).mean())
    (directory / "waveform_stats.json").write_text("half a f")
    assert waveform_statistics(directory).mean == pytest.approx(all_samples(directory).mean())


@pytest.mark.parametrize("convert", [np.asarray, torch.tensor], ids=["numpy", "torch"])
def test_normalise_and_restore(convert):
    statistics = WaveformStatistics(mean=0.25, std=0.5, samples=1)
    waveform = convert([[0.25, 0.75], [-0.25, 1.25]])
    normalised = statistics.normalise(waveform)
    np.testing.assert_allclose(normalised, [[0.0, 1.0], [-1.0, 2.0]])
    np.testing.assert_allclose(statistics.restore(normalised), waveform)


def test_unusable_statistics(directory, tmp_path):
    with pytest.raises(MeritError, match="nowhere.json: expected waveform statistics"):
        WaveformStatistics.load(tmp_path / "nowhere.json")
    (tmp_path / "other.json").write_text('{"mean": 1}')
    with pytest.raises(MeritError, match="other.json: expected waveform statistics"):
        WaveformStatistics.load(tmp_path / "other.json")
    for number in range(3):
        soundfile.write(tmp_path / f"u{number}.wav", np.zeros(1000), 16000)
    with pytest.raises(MeritError, match="all samples are equal"):
        waveform_statistics(directory)
    soundfile.write(tmp_path / "u1.wav", np.array([np.nan]), 16000, subtype="FLOAT")
    with pytest.raises(MeritError, match="u1: .*NaN"):
        waveform_statistics(directory)


def test_no_process_is_refused(directory):
    with pytest.raises(MeritError, match="--nj 0"):
        waveform_statistics(directory, nj=0)


def test_mixtures_of_the_first_epoch_are_what_counts_online(corpus, tmp_path):
    directory = make_online_set(corpus["train"], tmp_path)
    speech = OnlineSpeech(directory)
    samples = np.concatenate([speech.draw(utterance, 0).mixture.noisy for utterance in speech.wav]).astype(np.float64)
    found = waveform_statistics(directory)
    assert found.samples == len(samples)
    assert (found.mean, found.std) == pytest.approx((samples.mean(), samples.std()), rel=1e-12)
    (directory / "waveform_stats.json").unlink()
    assert waveform_statistics(directory, nj=2) == found
    # Kept until something else would be heard.
    kept = directory / "waveform_stats.json"
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"mean": 0.5}))
    assert waveform_statistics(directory).mean == 0.5
    make_online_set(corpus["train"], tmp_path, seed=4)
    other = waveform_statistics(directory)
    assert other.mean != 0.5 and other != found
