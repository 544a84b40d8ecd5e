"""Predictions of a trained model, from dumped states and from the audio."""

import numpy as np
import pytest

from merit.data.rated.ratings import Rating, clips_of, read_ratings
from merit.errors import MeritError
from merit.metrics.quality.prediction_table import read_predictions
from merit.systems.moe_mos.model_config import MosModelConfig
from merit.systems.moe_mos.predictions import predict_directory
from merit.systems.moe_mos.stages import Inputs, train_stages


@pytest.fixture(scope="module")
def trained(rated, statistics, tiny_encoder, short_stages, tmp_path_factory):
    """Functions of an output: a frozen model and one whose encoder was trained too."""
    root = tmp_path_factory.mktemp("models")
    dumps = (rated["train_dump"], rated["dev_dump"])
    for name, given in (("frozen", dumps), ("fine", ())):
        inputs = Inputs(rated["train"], rated["dev"], tiny_encoder, statistics, *given)
        model = MosModelConfig(num_experts=2, expert_size=6, representation_size=5)
        train_stages(inputs, model, {"mos": short_stages["mos"]}, root / name, 3)
    return root


def test_states_and_audio_give_the_same(trained, rated, tmp_path):
    for name, dump in (("states", rated["test_dump"]), ("audio", None)):
        predict_directory(trained / "frozen", rated["test"], tmp_path / f"{name}.csv", dump, batch_seconds=1.0)
    states, audio = (read_predictions([tmp_path / f"{name}.csv"]) for name in ("states", "audio"))
    assert states.clips == audio.clips and len(states.clips) == 6
    np.testing.assert_allclose(states.answers, audio.answers, atol=5e-3)  # states are kept in 16 bits
    np.testing.assert_allclose(states.gates.sum(axis=1), 1, atol=1e-5)
    means = [clip.mean for clip in clips_of(read_ratings(rated["test"] / "ratings.csv")).values()]
    np.testing.assert_allclose(states.truth, means)


def test_other_batches_give_the_same(trained, rated, tmp_path):
    for seconds in (0.1, 60.0):
        predict_directory(trained / "fine", rated["test"], tmp_path / f"{seconds}.csv", batch_seconds=seconds)
    one, all_together = (read_predictions([tmp_path / f"{seconds}.csv"]) for seconds in (0.1, 60.0))
    np.testing.assert_allclose(one.answers, all_together.answers, atol=2e-5)


def test_a_dump_is_not_of_an_encoder_that_was_trained_too(trained, rated, tmp_path):
    with pytest.raises(MeritError, match="its encoder was trained too, so dumped states are not its own"):
        predict_directory(trained / "fine", rated["test"], tmp_path / "p.csv", rated["test_dump"])


def test_clips_without_ratings_are_predicted(trained, rated, tmp_path):
    from merit.data.rated.rated_set import write_rated_set

    clips = clips_of(read_ratings(rated["test"] / "ratings.csv")).values()
    write_rated_set(tmp_path / "bare", [Rating(clip.wav_path, clip.system_id, clip.sample_id) for clip in clips])
    predict_directory(trained / "frozen", tmp_path / "bare", tmp_path / "p.csv", rated["test_dump"])
    found = read_predictions([tmp_path / "p.csv"])
    assert np.isnan(found.truth).all() and np.isfinite(found.answers).all()
