"""An experiment folder with made-up scores, written as stage 6 writes it."""

import math

import numpy as np

from merit.data.statistics import WaveformStatistics
from merit.metrics.enhancement.measures import MEASURES, EnhancementScores
from merit.metrics.enhancement.score_sheet import Pair, Record, ScoreSheet
from merit.metrics.label_table import compare_labels
from merit.systems.sparse_merit.decoding import write_routing
from merit.systems.sparse_merit.description import ModelDescription
from merit.systems.sparse_merit.model import ModelConfig
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
