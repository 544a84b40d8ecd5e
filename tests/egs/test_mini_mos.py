"""egs/mini_mos/local: degradations, simulated listeners, and the corpus that is made of them."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from merit.data.datadir import problems_in
from merit.data.rated.ratings import clips_of, read_ratings
from merit.metrics.quality.agreement import system_means

RECIPE = Path(__file__).parents[2] / "egs/mini_mos"
SETS = {"train": 3, "dev": 1, "test": 2}


@pytest.fixture
def local(monkeypatch):
    """Function that imports a module of the recipe."""
    monkeypatch.syspath_prepend(RECIPE / "local")
    return import_module


def make(folder: Path, nj: int) -> Path:
    counts = [word for name, count in SETS.items() for word in (f"--{name}", str(count))]
    options = ("--corpus", folder / "audio", "--output", folder / "data", *counts, "--nj", str(nj))
    command = [sys.executable, RECIPE / "local/prepare_mini_mos.py", *options]
    environment = {"PYTHONPATH": str(RECIPE.parents[1]), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("mini_mos"), nj=2)


def read(corpus: Path, name: str):
    return clips_of(read_ratings(corpus / "data" / name / "ratings.csv"))


def test_every_sentence_is_spoilt_by_every_system_and_two_systems_are_unrated(corpus):
    for name, count in SETS.items():
        assert problems_in(corpus / "data" / name, audio=True) == []
        clips = read(corpus, name).values()
        rated = {clip.system_id for clip in clips if clip.scores}
        unrated = {clip.system_id for clip in clips if not clip.scores}
        assert len(rated) == 13 and len(clips) == count * (13 + len(unrated))
        assert unrated == ({"echo", "tremolo"} if name == "train" else set())
        assert {len(clip.scores) for clip in clips} - {0} == {8}


def test_the_panels_have_no_listener_in_common(corpus):
    panels = {name: {one for clip in read(corpus, name).values() for one in clip.listeners} for name in SETS}
    assert not panels["test"] & (panels["train"] | panels["dev"]) and panels["dev"] <= panels["train"]


def test_listeners_hear_what_is_better(corpus):
    clips = read(corpus, "train").values()
    means = system_means([clip.system_id for clip in clips], np.array([clip.mean for clip in clips]))
    assert means["clean"] > means["noise_40"] > means["noise_20"] > 1
    assert means["lowpass_3400"] > means["lowpass_1500"] and means["loss_2"] > means["loss_10"]


def test_the_same_seed_gives_the_same_corpus(corpus, tmp_path):
    again = make(tmp_path, nj=1)
    files = sorted(path.relative_to(corpus) for path in (corpus / "audio").rglob("*.flac"))
    assert len(files) == 3 * 15 + 13 + 2 * 13
    assert all((corpus / path).read_bytes() == (again / path).read_bytes() for path in files)
    for name in SETS:
        paths = [folder / "data" / name / "ratings.csv" for folder in (corpus, again)]
        said = [[(one.utterance, one.score, one.listener_id) for one in read_ratings(path)] for path in paths]
        assert said[0] == said[1]


def test_degradations_are_as_strong_as_they_say(local):
    degradations = local("degradations")
    generator = np.random.default_rng(0)
    clean = 0.1 * np.random.default_rng(1).standard_normal(32000).astype(np.float32)
    noise = degradations.white_noise(10)(clean, generator) - clean
    assert 10 * np.log10(np.mean(clean**2) / np.mean(noise**2)) == pytest.approx(10, abs=0.1)
    power = np.abs(np.fft.rfft(degradations.low_pass(1500)(clean, generator))) ** 2
    assert power[8000:].sum() / power.sum() < 1e-4  # above 4 kHz
    lost = degradations.frame_loss(0.2)(clean, generator).reshape(-1, 320)
    assert np.mean((lost == 0).all(axis=1)) == pytest.approx(0.2, abs=0.08)
    assert len(np.unique(degradations.mu_law(4)(clean, generator))) <= 17
    assert np.abs(degradations.mu_law(8)(clean, generator) - clean).max() < 0.02
    echoed = degradations.echo(0.1, 0.5)(clean, generator)
    np.testing.assert_allclose(echoed[1600:], clean[1600:] + 0.5 * clean[:-1600], atol=1e-6)
    assert np.abs(degradations.clipping(0.5)(clean, generator)).max() < 0.6 * np.abs(clean).max()
    assert np.abs(degradations.tremolo(6)(clean, generator)).max() <= np.abs(clean).max()


def test_listeners_have_a_bias_and_the_second_panel_is_shifted(local):
    raters = local("raters")
    first, second = raters.panels(0)
    assert len({rater.name for rater in (*first, *second)}) == 20
    many = [[rater.bias for seed in range(30) for rater in raters.panels(seed)[panel]] for panel in (0, 1)]
    assert np.mean(many[1]) - np.mean(many[0]) == pytest.approx(raters.SHIFT, abs=0.08)
    rater = raters.Rater("L", 0.5, 0.3)
    generator = np.random.default_rng(0)
    votes = [rater.rate(3.0, generator) for _ in range(2000)]
    assert np.mean(votes) == pytest.approx(3.5, abs=0.05) and set(votes) <= {1, 2, 3, 4, 5}
    assert {rater.rate(9.0, generator), rater.rate(-9.0, generator)} == {1, 5}


def test_the_encoder_is_whisper_s(local, tmp_path):
    local("make_whisper").make_whisper(tmp_path)
    model = WhisperEncoder.from_pretrained(tmp_path)
    assert model.config.num_mel_bins == 80 and len(model.layers) == 2
    assert model.conv1.weight.std() > 0.1
