"""The authors' release converted: the same answers as their formulas on the same weights, and what is refused."""

import json
import re

import numpy as np
import pytest
import torch
from author_release import MEAN, STD, Release, random_release

from merit.data.statistics import WaveformStatistics
from merit.errors import MeritError
from merit.systems.sparse_merit.authors.conversion import convert_release
from merit.systems.sparse_merit.description import load_model
from merit.systems.sparse_merit.inference import Merit

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def release() -> Release:
    return random_release()


@pytest.fixture
def folder(release, tmp_path):
    return release.save(tmp_path / "authors")


def rewrite(path, **changes):
    """Change tensors of a file; those that become None go."""
    checkpoint = torch.load(path, weights_only=True)
    model = {name: changes.pop(name, value) for name, value in checkpoint["model"].items()} | changes
    torch.save(checkpoint | {"model": {name: value for name, value in model.items() if value is not None}}, path)


@pytest.mark.parametrize("newer_weight_norm", [True, False])
def test_converted_model_says_what_the_release_says(release, make_speech, tmp_path, newer_weight_norm):
    samples = make_speech(0.7)
    logits, enhanced, experts = release.evaluate(samples)
    convert_release(release.save(tmp_path / "authors", newer_weight_norm), tmp_path / "model")
    result = Merit.from_pretrained(tmp_path / "model", "cpu", "float32")(samples, 16000)
    assert list(result.emotion) == ["angry", "sad", "happy", "neutral"]
    assert list(result.emotion.values()) == pytest.approx(logits.softmax(dim=0).tolist(), abs=1e-5)
    for task, expert in experts.items():
        assert len(expert.unique()) > 1
        assert result.routing[task].tolist() == torch.nn.functional.one_hot(expert, 3).tolist()
    assert (experts["emotion"] != experts["enhancement"]).any()
    assert np.abs(enhanced).max() > 0.01
    assert np.abs(result.enhanced - enhanced).max() < 2e-6


def test_what_is_written(folder, tmp_path):
    convert_release(folder, tmp_path / "model", name="RogerTzeng/Sparse-MERIT@c0ffee")
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"config.json", "model.safetensors"}
    run = json.loads((tmp_path / "model" / "config.json").read_text())["run"]
    assert run == {"converted_from": "RogerTzeng/Sparse-MERIT@c0ffee"}
    model, description = load_model(tmp_path / "model")
    assert (description.model.gate_weight, description.model.top_k, description.model.num_experts) == ("hard", 1, 3)
    assert description.statistics.mean == pytest.approx(MEAN, rel=1e-12)
    assert description.statistics.std == pytest.approx(float(np.float32(STD)) + 1e-8, rel=1e-12)
    assert description.ssl_fingerprint == model.encoder.fingerprint()
    assert description.precision == "float32"


def test_files_in_folders(release, folder, tmp_path):
    for number, name in enumerate(("final_ssl.pt", "final_se.pt", "train_norm_stat.pkl")):
        (folder / str(number)).mkdir()
        (folder / name).rename(folder / str(number) / name)
    convert_release(folder, tmp_path / "model")
    assert (tmp_path / "model" / "model.safetensors").exists()
    release.save(folder / "another")
    with pytest.raises(MeritError, match="several folders.* 0, 1, 2, another"):
        convert_release(folder, tmp_path / "other")
    convert_release(folder / "another", tmp_path / "other")


def test_statistics_given(folder, tmp_path):
    (folder / "train_norm_stat.pkl").unlink()
    with pytest.raises(MeritError, match="lacks train_norm_stat.pkl; .*--mean and --std"):
        convert_release(folder, tmp_path / "model")
    given = WaveformStatistics(mean=0.0, std=0.1, samples=0)
    convert_release(folder, tmp_path / "model", given)
    assert load_model(tmp_path / "model")[1].statistics == given


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("final_mmoe.pt", {"layer_weights": torch.ones(3)}, "layer_weights is not of the authors' Sparse MERIT"),
        ("final_mmoe.pt", {"gates.1.fc.bias": None}, "emotion.projection.bias"),
        ("final_mmoe.pt", {"layer_norms.1.weight": None}, "missing or has another shape"),
        ("final_mmoe.pt", {"experts.1.fc1.weight": torch.ones(5, 5)}, "do not fit together.*experts.1.0.weight"),
        ("final_mmoe.pt", {"experts.2.fc2.bias": torch.full((32,), torch.nan)}, "experts.2.fc2.bias is not finite"),
        ("final_ser.pt", {"out.0.bias": torch.ones(8), "out.0.weight": torch.ones(8, 20)}, "do not fit together"),
        ("final_pool.pt", {"attention": torch.tensor(1.0)}, "another shape"),
        ("final_se.pt", {"lstm_enc.1.blstm.weight_hh_l1_reverse": None}, "do not fit together.*back.1.weight_hh_l0"),
        ("final_ssl.pt", {"post_extract_proj.weight": None}, "do not fit together.*feature_projection"),
        ("final_ssl.pt", {"encoder.layers.0.self_attn.grep_a": None}, "grep_a"),
        ("final_ssl.pt", {"encoder.layers.0.self_attn.grep_a": torch.ones(1, 5, 1, 1)}, "another shape"),
    ],
)
def test_files_that_do_not_fit_are_refused(folder, tmp_path, file, changes, message):
    rewrite(folder / file, **changes)
    with pytest.raises(MeritError) as error:
        convert_release(folder, tmp_path / "model")
    text = " ".join(str(error.value).split())
    assert str(folder) in text
    assert re.search(message, text), text
    assert not (tmp_path / "model").exists()


def test_missing_files_are_named(folder, tmp_path):
    (folder / "final_se.pt").unlink()
    (folder / "final_pool.pt").unlink()
    with pytest.raises(MeritError, match="lacks final_pool.pt, final_se.pt; expected final_ssl.pt, "):
        convert_release(folder, tmp_path / "model")
    with pytest.raises(MeritError, match="no such directory"):
        convert_release(tmp_path / "nowhere", tmp_path / "model")


def test_another_model_is_not_overwritten(release, folder, tmp_path):
    convert_release(folder, tmp_path / "model")
    convert_release(folder, tmp_path / "model")
    with pytest.raises(MeritError, match="another configuration"):
        convert_release(random_release(1).save(tmp_path / "second"), tmp_path / "model")
