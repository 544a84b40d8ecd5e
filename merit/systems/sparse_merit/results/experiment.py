"""The experiment that stage 7 looks at: trained and scored models, where they were tested, and what that is called."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from merit.data.noise.mixed_names import DRAWN, NoiseCondition, parse_condition
from merit.errors import MeritError
from merit.systems.sparse_merit.methods.method import title_of
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.results.conditions import in_table_order
from merit.systems.sparse_merit.results.run_files import DECODED, SCORED, read_config

CLEAN = "clean"
"""SNR and noise of a test set that was not mixed."""


@dataclass(frozen=True)
class FinishedRun:
    """One trained model, scored by stage 6.

    Attributes:
        method: ``sparse_merit``.
        seed: of its training.
        directory: ``exp/sparse_merit-7``; :mod:`.run_files` says what is in it.
    """

    method: str
    seed: int
    directory: Path

    @property
    def name(self) -> str:
        """The method as tables call it."""
        return title_of(self.method)

    @property
    def scores(self) -> Path:
        """Parent of the folders of :meth:`score`."""
        return self.directory / SCORED

    def score(self, condition: NoiseCondition) -> Path:
        """Folder with the scores of a test."""
        return self.scores / condition.name

    def decoded(self, condition: NoiseCondition) -> Path:
        """Folder with what was decoded of a test."""
        return self.directory / DECODED / condition.name

    def model_config(self) -> ModelConfig:
        """What is between the encoder and the outputs of the model.

        Raises:
            MeritError: as :func:`.run_files.read_config`, and when an option of the model is not known.
        """
        settings = read_config(self.directory)["description"]["model"]
        try:
            return ModelConfig(**{**settings, "tasks": tuple(settings["tasks"])})
        except (KeyError, TypeError) as error:
            raise MeritError(f"{self.directory}: no model of Sparse MERIT ({error}); train it again") from error


def find_runs(exp: Path, methods: Iterable[str], seeds: Sequence[int], tag: str = "") -> list[FinishedRun]:
    """The runs of all methods and seeds, method by method, in the order given.

    Raises:
        MeritError: when one of them was not scored; lists all of those.
    """
    suffix = f"_{tag}" if tag else ""
    runs = [FinishedRun(method, seed, exp / f"{method}{suffix}-{seed}") for method in methods for seed in seeds]
    if missing := [str(run.directory) for run in runs if not any(run.scores.glob("*/*.csv"))]:
        raise MeritError(f"not scored yet: {' '.join(missing)}; run stages 4 to 6 for these methods and seeds first")
    return runs


@dataclass(frozen=True)
class Experiment:
    """All that stage 7 looks at, made once from its command line by :func:`open_experiment`.

    Attributes:
        runs: trained and scored models, those of one method together.
        conditions: test conditions that any of the runs was scored on, in the order of the tables.
        dev_conditions: the same of the dev set.
        noise_seen: noises of the training data.
        data: parent of the data directories of the conditions.
        noisy: score folder of the noisy input.
    """

    runs: tuple[FinishedRun, ...]
    conditions: tuple[NoiseCondition, ...]
    dev_conditions: tuple[NoiseCondition, ...]
    noise_seen: tuple[str, ...]
    data: Path
    noisy: Path

    @property
    def mixed_conditions(self) -> list[NoiseCondition]:
        """The test conditions with noise."""
        return [condition for condition in self.conditions if condition.snr is not None]

    def noise_label(self, noise: str) -> str:
        """``babble (seen)``; without a list of seen noises, and for clean speech and drawn noises, the name alone."""
        if not self.noise_seen or noise in (CLEAN, DRAWN):
            return noise
        return f"{noise} ({'seen' if noise in self.noise_seen else 'unseen'})"


def open_experiment(
    runs: Sequence[FinishedRun],
    noise_seen: Sequence[str] = (),
    data: Path = Path("data"),
    noisy: Path = Path("dump/score_noisy"),
) -> Experiment:
    """The experiment of these runs; they were tested on what they have scores of.

    Raises:
        MeritError: when none of them has scores of a test set.
    """
    names = {path.name for run in runs for path in run.scores.glob("*")}
    ordered = in_table_order(map(parse_condition, names), noise_seen)
    test, dev = (tuple(condition for condition in ordered if condition.subset == name) for name in ("test", "dev"))
    if not test:
        raise MeritError("none of the runs was scored on a test set (score/test_*); run stage 6 first")
    return Experiment(tuple(runs), test, dev, tuple(noise_seen), data, noisy)
