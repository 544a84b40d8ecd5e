"""A made-up ``exp/`` folder with routed runs, and their statistics counted one frame at a time in plain Python."""

import csv
import json
from collections import Counter

import numpy as np

from merit.metrics.enhancement.measures import MEASURES
from merit.systems.sparse_merit.results.experiment import FinishedRun
from merit.systems.sparse_merit.results.run_files import write_routing

CLASSES = ("angry", "happy", "sad")
TASKS = ("emotion", "enhancement")
CONDITIONS = ("test_babble_-5dB", "test_babble_5dB", "test_wind_-5dB", "test_wind_5dB")
UTTERANCES = {f"speaker-{n:02d}": CLASSES[n % 3] for n in range(15)}


def write_csv(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def make_run(
    exp, method="sparse_merit", seed=7, routed=True, num_experts=3, conditions=CONDITIONS, heads=TASKS, **settings
):
    """A run with decoded routing, emotions and scores that follow from its name alone."""
    run = FinishedRun(method, seed, exp / f"{method}-{seed}")
    generator = np.random.default_rng([seed, len(method), num_experts])
    run.directory.mkdir(parents=True)
    model = {"front_end": "moe" if routed else "weighted_sum", "num_experts": num_experts, "tasks": heads, **settings}
    description = {"model": model, "classes": CLASSES, "ssl": "tiny", "num_states": 3, "hidden_size": 16}
    description["ssl_fingerprint"] = "abc"
    config = {"description": description, "run": {"train": "data/train", "dev": "data/dev", "training": {}}}
    (run.directory / "config.json").write_text(json.dumps(config))
    (run.directory / "model.safetensors").write_bytes(b"weights")
    for condition in conditions:
        if routed:
            experts = {
                utterance: generator.integers(num_experts, size=(len(heads), int(generator.integers(1, 30))))
                for utterance in UTTERANCES
            }
            write_routing(run.directory / "decode" / condition / "routing.npz", heads, experts)
        scores = run.directory / "score" / condition
        if "emotion" in heads:
            rows = []
            for utterance, emotion in UTTERANCES.items():
                posteriors = generator.dirichlet(np.ones(len(CLASSES)))
                guess = CLASSES[int(posteriors.argmax())]
                rows.append((utterance, emotion, guess, int(guess == emotion), *(f"{p:.6f}" for p in posteriors)))
            write_csv(scores / "emotion.csv", ("utt", "reference", "hypothesis", "correct", *CLASSES), rows)
        if "enhancement" in heads:
            write_enhancement(scores / "enhancement.csv", generator, 1.0)
    return run


def write_enhancement(path, generator, offset):
    """An ``enhancement.csv`` and the record beside it."""
    rows = [(utt, *(f"{value:.6f}" for value in offset + generator.random(len(MEASURES)))) for utt in UTTERANCES]
    write_csv(path, ("utt", *MEASURES), rows)
    record = dict(compared="x", composite="matlab", scores={}, failures={}, cut=0)
    path.with_suffix(".jsonl").write_text("".join(json.dumps({"utt": utt, **record}) + "\n" for utt in UTTERANCES))


def brute_force(run, keep):
    """Switching rate of each task, agreement, and usage of each task over the utterances that ``keep`` chooses.

    Args:
        run: its ``routing.npz`` files are read with numpy alone.
        keep: function of the condition's name and the utterance.
    """
    switches, pairs, same, frames = Counter(), 0, 0, 0
    chosen = {task: Counter() for task in TASKS}
    for folder in sorted((run.directory / "decode").iterdir()):
        arrays = np.load(folder / "routing.npz")
        start = 0
        for utterance, length in zip(arrays["utterances"].tolist(), arrays["frames"].tolist()):
            rows = [list(row[start : start + length]) for row in arrays["experts"].tolist()]
            start += length
            if not keep(folder.name, utterance):
                continue
            for t in range(length):
                frames += 1
                same += rows[0][t] == rows[1][t]
                for task, row in zip(TASKS, rows):
                    chosen[task][row[t]] += 1
                    if t > 0:
                        switches[task] += row[t] != row[t - 1]
                pairs += t > 0
    usage = {task: {n: count / frames for n, count in counts.items()} for task, counts in chosen.items()}
    return {task: switches[task] / pairs for task in TASKS}, same / frames, usage


def write_history(run, epochs=3, agreement=True):
    """A ``history.csv`` with shares that add up to one."""
    generator = np.random.default_rng(run.seed)
    names = ["epoch", "dev_criterion", *(f"usage_{task}_{n}" for task in TASKS for n in range(3))]
    rows = []
    for epoch in range(1, epochs + 1):
        shares = np.concatenate([generator.dirichlet(np.ones(3)) for _ in TASKS])
        rows.append([epoch, 1 / epoch, *shares, *([0.1 * epoch] if agreement else [])])
    write_csv(run.directory / "history.csv", [*names, *(["agreement"] if agreement else [])], rows)
    return np.array(rows)
