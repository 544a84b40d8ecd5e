"""A rated corpus of tones in noise, the states of a tiny encoder for it, and short stages."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from merit.data.audio import write_audio
from merit.data.rated.rated_set import write_rated_set
from merit.data.rated.ratings import Rating
from merit.data.statistics import WaveformStatistics, waveform_statistics
from merit.dumping.dump import dump_states
from merit.systems.moe_mos.stage_options import classification_stage, joint_stage, mos_stage

NOISE = {"clean": 0.01, "fair": 0.1, "bad": 0.3}
QUALITY = {"clean": (5, 4), "fair": (3, 3), "bad": (1, 2)}


def make_set(root: Path, name: str, clips: int, unrated: str | None = None) -> Path:
    """Clips of three systems, two ratings each; those of ``unrated`` have none."""
    generator = np.random.default_rng([*name.encode()])
    ratings = []
    for system, noise in NOISE.items():
        for number in range(clips):
            path = root / name / f"{system}{number}.flac"
            samples = int(generator.integers(6400, 11000))
            tone = 0.2 * np.sin(2 * np.pi * 250 * np.arange(samples) / 16000)
            write_audio(path, (tone + noise * generator.standard_normal(samples)).astype(np.float32))
            scores = [] if system == unrated else QUALITY[system]
            ratings += [Rating(str(path), system, f"{number}", score, f"L{n}") for n, score in enumerate(scores)]
            if not scores:
                ratings.append(Rating(str(path), system, f"{number}"))
    write_rated_set(root / "data" / name, ratings)
    return root / "data" / name


@pytest.fixture(scope="session")
def rated(tmp_path_factory, tiny_encoder) -> dict[str, Path]:
    """Data directories train, half (without ratings of one system), dev and test, and where states of each lie."""
    root = tmp_path_factory.mktemp("rated")
    found = {name: make_set(root, name, clips) for name, clips in (("train", 6), ("dev", 3), ("test", 2))}
    found["half"] = make_set(root, "half", 6, unrated="bad")
    waveform_statistics(found["train"])
    found["statistics"] = found["train"] / "waveform_stats.json"
    for name in ("train", "half", "dev", "test"):
        found[f"{name}_dump"] = root / "dump" / name
        dump_states(found[name], tiny_encoder, found[f"{name}_dump"], found["statistics"], precision="float32")
    return found


@pytest.fixture(scope="session")
def statistics(rated) -> WaveformStatistics:
    return WaveformStatistics.load(rated["statistics"])


@pytest.fixture(scope="session")
def short_stages():
    """The three stages in two epochs each, in float32, with larger steps."""
    common = {"epochs": 2, "batch_size": 6, "micro_batch_size": 3, "learning_rate": 5e-3, "workers": 0}
    common |= {"precision": "float32"}
    made = {"classification": classification_stage(), "joint": joint_stage(), "mos": mos_stage()}
    return {name: replace(stage, **common) for name, stage in made.items()}
