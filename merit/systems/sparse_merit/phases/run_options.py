"""What sets one run of Sparse MERIT apart from another, beside its model."""

from dataclasses import asdict
from pathlib import Path

from merit.data.datadir import is_mixed_online
from merit.data.noise.online.mixing_file import summary
from merit.files import sha256
from merit.systems.sparse_merit.training_options import MeritTraining
from merit.training.run_state import EARLIER_RUNS

EARLIER_MERIT_RUNS = {**EARLIER_RUNS, "run.training.select": "losses"}
"""What runs did whose ``config.json`` does not have an option yet."""


def run_options(training: MeritTraining, train: Path, dev: Path, seed: int) -> dict:
    """Options, data and labels, and seed, for ``config.json``; what is drawn from, where training is mixed online.

    The audio is known by its normalisation, which is in the description of the model.
    """
    labels = {
        f"{name}_labels": sha256(directory / "utt2emo")
        for name, directory in (("train", train), ("dev", dev))
        if (directory / "utt2emo").exists()
    }
    mixing = {"train_mixing": summary(train)} if is_mixed_online(train) else {}
    return {"training": asdict(training), "train": str(train), "dev": str(dev), "seed": seed, **labels, **mixing}
