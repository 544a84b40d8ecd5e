"""What is true of the preparation of every published noise corpus."""

import pytest
from published_noise import ESC50, make_corpus, prepared

from merit.data.noise.corpora import LAYOUTS
from merit.data.noise.preparation import prepare_noise
from merit.errors import MeritError


@pytest.mark.parametrize("corpus", LAYOUTS)
def test_a_missing_corpus_says_what_is_expected(corpus, tmp_path):
    for source in ("nowhere", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(MeritError, match=f"{source}: no audio files; give the folder that .*http"):
            prepare_noise(corpus, tmp_path / source, tmp_path / "out")
    other = make_corpus(tmp_path / "other", ["a/some_speech.wav"])
    if corpus not in ("freesound", "dns"):  # which have any name
        with pytest.raises(MeritError, match="no .* among 1 audio files; expected files such as .*wav"):
            prepare_noise(corpus, other, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("corpus", LAYOUTS)
def test_unknown_subsets_are_refused(corpus, tmp_path):
    with pytest.raises(MeritError, match=f"--subsets birds: {LAYOUTS[corpus].title} has {LAYOUTS[corpus].subsets[0]}"):
        prepare_noise(corpus, tmp_path, tmp_path / "out", [LAYOUTS[corpus].subsets[0], "birds"])


@pytest.fixture
def esc50(tmp_path):
    return make_corpus(tmp_path / "esc50", ESC50)


def test_another_seed_draws_another_split(tmp_path):
    dns = make_corpus(tmp_path / "dns", [f"{number:011d}.wav" for number in range(20)])
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        prepare_noise("dns", dns, tmp_path / name, seed=seed)
    assert prepared(tmp_path / "one") == prepared(tmp_path / "two") != prepared(tmp_path / "three")


def test_nothing_left_is_refused(esc50, tmp_path):
    prepare_noise("esc50", esc50, tmp_path / "one")
    with pytest.raises(MeritError, match="nothing is left without .*one"):
        prepare_noise("esc50", esc50, tmp_path / "two", without=[tmp_path / "one"])


@pytest.mark.parametrize("fractions", [(0.5, 0.4, 0.2), (1, 0)])
def test_fractions_add_up(esc50, tmp_path, fractions):
    with pytest.raises(MeritError, match="expected three fractions"):
        prepare_noise("esc50", esc50, tmp_path / "out", fractions=fractions)


def test_too_few_recordings_to_split(tmp_path):
    names = [f"door_Freesound_validated_{number}_{piece}.wav" for number in (1, 2) for piece in range(9)]
    with pytest.raises(MeritError, match="2 recordings cannot be split into 3 parts"):
        prepare_noise("dns", make_corpus(tmp_path / "dns", names), tmp_path / "out")
