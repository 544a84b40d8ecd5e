"""An experiment folder with made-up scores, written as stage 6 writes it."""

import math
from statistics import fmean

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from merit.data.statistics import WaveformStatistics
from merit.metrics.enhancement.measures import MEASURES, EnhancementScores
from merit.metrics.enhancement.score_sheet import Pair, Record, ScoreSheet
from merit.metrics.label_table import compare_labels, read_label_table
from merit.metrics.significance import disjoint_subsets
from merit.systems.sparse_merit.description import ModelDescription
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.results.experiment import find_runs, open_experiment
from merit.systems.sparse_merit.results.run_files import write_routing
from merit.training.run_state import start_run

CLASSES = ["angry", "happy", "neutral", "sad"]


def make_labels(count, seed=0):
    """Utterance -> class, all classes about as often."""
    order = np.random.default_rng(seed).permutation(count)
    return {f"utt{number:04d}": CLASSES[order[number] % len(CLASSES)] for number in range(count)}


def write_run(exp, method, seed, model=None, train="data/train_babble_5dB", ssl="encoder", fingerprint="abc", **run):
    """``config.json`` of a run; returns its directory."""
    tasks = model.tasks if model else ("emotion", "enhancement")
    description = ModelDescription(
        model=model or ModelConfig(tasks=tasks, front_end="weighted_sum"),
        classes=CLASSES,
        num_states=5,
        hidden_size=16,
        statistics=WaveformStatistics(mean=0.0, std=1.0, samples=16000),
        ssl=ssl,
        ssl_fingerprint=fingerprint,
        encoder=None,
    )
    options = {"training": {"epochs": 2}, "train": train, "dev": "data/dev_babble_5dB", "seed": seed}
    start_run(exp / f"{method}-{seed}", description, {**options, "train_labels": "t", "dev_labels": "d", **run})
    return exp / f"{method}-{seed}"


def guess(labels, accuracy, seed):
    """Utterance -> recognised class, right with a probability."""
    generator = np.random.default_rng(seed)
    return {
        utt: label if generator.random() < accuracy else CLASSES[generator.integers(len(CLASSES))]
        for utt, label in labels.items()
    }


def write_emotions(run, condition, labels, hypothesis):
    compare_labels(labels, hypothesis, "made", CLASSES).write(run / "score" / condition / "emotion.csv")


def write_enhancement(scores, condition, utterances, value, composite="matlab"):
    """All six measures of utterance number n are ``value + n / 10``; NaN where ``value`` is a function that says so."""
    sheet = ScoreSheet(scores / condition / "enhancement.csv", {utt: Pair("a", "b") for utt in utterances}, composite)
    for number, utt in enumerate(utterances):
        score = value(number) if callable(value) else value + number / 10
        values = dict.fromkeys(MEASURES, score)
        failures = dict.fromkeys(MEASURES, "silence") if math.isnan(score) else {}
        sheet.add(Record.of(utt, sheet.fingerprints[utt], composite, EnhancementScores(values, failures), 0))
    sheet.finish()


def write_made_routing(run, condition, utterances, num_experts=3):
    generator = np.random.default_rng(0)
    experts = {utt: generator.integers(num_experts, size=(2, 12)) for utt in utterances}
    write_routing(run / "decode" / condition / "routing.npz", ["emotion", "enhancement"], experts)


ACCURACY = {"original": 0.3, "ft_mtl": 0.6, "sparse_merit": 0.65, "sparse_merit_balance": 0.7, "se_only": None}
SEEDS = (7, 17)
METHODS = ("original", "se_only", "ft_mtl", "sparse_merit", "sparse_merit_balance")
RECOGNISING = ("original", "ft_mtl", "sparse_merit", "sparse_merit_balance")
CONDITIONS = ("test_babble_-5dB", "test_babble_5dB", "test_wind_-5dB", "dev_babble_5dB")
GAIN = {"ft_mtl": 2.0, "sparse_merit": 3.0, "sparse_merit_balance": 2.5, "se_only": 4.0}


def make_experiment(folder, utterances=58):
    """``exp/`` with five methods (one of them without an emotion head, one without enhancement), ``noisy/``; labels."""
    labels = make_labels(utterances)
    for place, (method, accuracy) in enumerate(ACCURACY.items()):
        moe = method.startswith("sparse")
        tasks = tuple(task for task, has in (("emotion", accuracy), ("enhancement", method in GAIN)) if has)
        for seed in SEEDS:
            model = ModelConfig(tasks=tasks, front_end="moe" if moe else "weighted_sum")
            train = "data/train" if method == "original" else "data/train_babble_5dB"
            run = write_run(folder / "exp", method, seed, model, train=train)
            for number, condition in enumerate(CONDITIONS):
                if accuracy is not None:
                    hypothesis = guess(labels, accuracy + 0.05 * number, seed=1000 * place + 10 * seed + number)
                    write_emotions(run, condition, labels, hypothesis)
                if method in GAIN:
                    write_enhancement(run / "score", condition, labels, GAIN[method] + number + seed / 100)
                if moe:
                    write_made_routing(run, condition, labels)
    for number, condition in enumerate(CONDITIONS):
        write_enhancement(folder / "noisy", condition, labels, 1.0 + number)
    return labels


def open_made(folder, methods=METHODS, seeds=SEEDS, noise_seen=("babble",)):
    """What :func:`make_experiment` left in ``folder``, or another ``exp/`` and ``noisy/`` there."""
    runs = find_runs(folder / "exp", methods, seeds)
    return open_experiment(runs, noise_seen, folder / "data", folder / "noisy")


def cell(table, snr, method, group, key):
    """The cell of a row and column."""
    place = next(n for n, column in enumerate(table.columns) if (column.group, column.key) == (group, key))
    return next(row[place] for row in table.rows if (row[0].value, row[1].value) == (snr, method))


def scores_of(folder, labels, method, condition):
    """F1-macro and F1-micro of every seed on every subset, by scikit-learn."""
    subsets = disjoint_subsets(labels)
    macro, micro = [], []
    for seed in SEEDS:
        table = read_label_table(folder / "exp" / f"{method}-{seed}" / "score" / condition / "emotion.csv")
        for number in range(5):
            utts = [utt for utt in labels if subsets[utt] == number]
            reference, found = [labels[utt] for utt in utts], [table.hypothesis[utt] for utt in utts]
            macro.append(f1_score(reference, found, labels=CLASSES, average="macro", zero_division=0))
            micro.append(accuracy_score(reference, found))
    return {"f1_macro": macro, "f1_micro": micro}


def whole_f1(folder, labels, method, condition, measure):
    """Of the whole test set, mean over the seeds."""
    values = []
    for seed in SEEDS:
        table = read_label_table(folder / "exp" / f"{method}-{seed}" / "score" / condition / "emotion.csv")
        found = [table.hypothesis[utt] for utt in labels]
        values.append(f1_score(list(labels.values()), found, average=measure.removeprefix("f1_")))
    return fmean(values)


def expected_mean(value, count=58):
    """Of what :func:`write_enhancement` writes for a value."""
    return fmean(value + number / 10 for number in range(count))
