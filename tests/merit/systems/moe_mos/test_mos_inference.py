"""A trained model for people."""

import numpy as np
import pytest
import soundfile

from merit.data.rated.ratings import clips_of, read_ratings
from merit.errors import MeritError
from merit.metrics.quality.prediction_table import read_predictions
from merit.systems.moe_mos.model_config import MosModelConfig
from merit.systems.moe_mos.mos_inference import MoeMos
from merit.systems.moe_mos.predictions import predict_directory
from merit.systems.moe_mos.stages import Inputs, train_stages


@pytest.fixture(scope="module")
def directory(rated, statistics, tiny_encoder, short_stages, tmp_path_factory):
    output = tmp_path_factory.mktemp("model") / "run"
    inputs = Inputs(rated["train"], rated["dev"], tiny_encoder, statistics, rated["train_dump"], rated["dev_dump"])
    model = MosModelConfig(num_experts=2, expert_size=6, representation_size=5)
    train_stages(inputs, model, {"mos": short_stages["mos"]}, output, 3)
    return output


@pytest.fixture(scope="module")
def mos(directory):
    return MoeMos.from_pretrained(directory)


def test_it_says_what_the_predictions_of_the_recipe_say(mos, directory, rated, tmp_path):
    predict_directory(directory, rated["test"], tmp_path / "p.csv", batch_seconds=1.0)
    expected = read_predictions([tmp_path / "p.csv"])
    paths = [clip.wav_path for clip in clips_of(read_ratings(rated["test"] / "ratings.csv")).values()]
    found = list(mos.judge_files(paths, batch_seconds=1.2))
    assert [str(path) for path, _ in found] == paths
    np.testing.assert_allclose([judgement.mos for _, judgement in found], expected.answers, atol=2e-5)
    np.testing.assert_allclose([judgement.gates for _, judgement in found], expected.gates, atol=2e-5)


def test_any_rate_and_several_channels(mos, make_speech):
    samples = make_speech(1.0)
    one = mos(samples, 16000)
    assert 1 <= one.mos <= 5 and one.gates.sum() == pytest.approx(1, abs=1e-6)
    assert list(one.systems) == ["bad", "clean", "fair"] and sum(one.systems.values()) == pytest.approx(1, abs=1e-6)
    assert mos(np.stack([samples, samples]), 16000).mos == pytest.approx(one.mos, abs=1e-6)
    assert mos(samples, 48000).mos != one.mos  # a third as long


def test_long_signals_are_judged_in_pieces_and_averaged(directory, make_speech):
    samples = make_speech(3.5)
    short = MoeMos.from_pretrained(directory, piece_seconds=1.0)
    parts = [short(part, 16000).mos for part in np.array_split(samples, 4)]
    assert short(samples, 16000).mos == pytest.approx(np.mean(parts), abs=1e-5)


def test_what_cannot_be_judged_is_named(mos, directory, tmp_path):
    with pytest.raises(MeritError, match="waveform: 100 samples at 16 kHz are too short"):
        mos(np.zeros(100), 16000)
    soundfile.write(tmp_path / "a b.wav", np.zeros(100), 16000)
    ((path, error),) = mos.judge_files([tmp_path / "a b.wav"])
    assert path == tmp_path / "a b.wav" and isinstance(error, MeritError) and "a b.wav: 100 samples" in str(error)
    with pytest.raises(MeritError, match="piece_seconds is 0.5; expected at least 1"):
        MoeMos.from_pretrained(directory, piece_seconds=0.5)


def test_files_come_in_their_order_whatever_fails(mos, tmp_path, make_speech):
    paths = [tmp_path / f"{name}.wav" for name in "bac"]
    for path, seconds in zip(paths, (0.5, 0.001, 0.7)):
        soundfile.write(path, make_speech(seconds), 16000)
    found = list(mos.judge_files(paths))
    assert [path for path, _ in found] == paths
    assert [isinstance(judgement, MeritError) for _, judgement in found] == [False, True, False]
