"""Phase 1: heads on dumped states, on stored features and on states computed online; and several heads at a time.

Speech stands for itself as noise, the encoder has random weights; neither changes what a step costs. All figures in
audio-s/s count whole utterances, whether a head is trained on all of each or, as in the paper, on a crop of 1.28 s. An
epoch is timed from the first file that is read to the last step, without the dev set.
"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from measure import LARGE, chosen_device, report, seconds
from transformers import WavLMConfig, WavLMModel

from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory
from merit.data.states.shard import BLOCK_FRAMES, blocks, checksums
from merit.data.statistics import waveform_statistics
from merit.dumping.dump import dump_states
from merit.nets.masks import length_mask
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.phases.batch import crop_window
from merit.systems.sparse_merit.phases.phase1 import Dump, Head, phase1_trainer
from merit.systems.sparse_merit.training_options import MeritTraining
from merit.training.loop import Trainer

CLASSES = ["angry", "happy", "neutral", "sad"]
FILES = 8
"""Different recordings; utterances take turns with them."""


@dataclass
class Sizes:
    """What is measured: utterances of ``shortest`` to ``longest`` seconds, an encoder, and its dump's batches."""

    utterances: int
    shortest: float
    longest: float
    encoder: dict
    dump_seconds: float


SIZES = {
    "cpu": Sizes(32, 1.5, 2.5, {"num_hidden_layers": 3, "conv_dim": (256,) * 7}, 16.0),  # WavLM Base, less deep
    "cuda": Sizes(160, 11.0, 11.0, LARGE, 120.0),
}


LARGE_STATES = Sizes(16, 3.0, 6.0, LARGE, 30.0)
"""Sizes for what depends on how much is stored, on a CPU."""


def make_directory(root: Path, name: str, sizes: Sizes, utterances: int) -> Path:
    """A mixed data directory of noise, with emotions."""
    generator = np.random.default_rng(7)
    lengths = generator.uniform(sizes.shortest, sizes.longest, FILES)
    for i, length in enumerate(lengths):
        for kind in ("noisy", "clean"):
            samples = 0.1 * generator.standard_normal(round(16000 * length))
            write_audio(root / name / kind / f"{i}.wav", samples.astype(np.float32))
    keys = [f"{name}{i:04d}" for i in range(utterances)]
    scp = {
        kind: {key: str(root / name / kind / f"{i % FILES}.wav") for i, key in enumerate(keys)}
        for kind in ("noisy", "clean")
    }
    write_data_directory(
        root / "data" / name,
        scp["noisy"],
        dict.fromkeys(keys, name),
        utt2emo={key: CLASSES[i % len(CLASSES)] for i, key in enumerate(keys)},
        utt2dur={key: f"{round(16000 * lengths[i % FILES]) / 16000:.6f}" for i, key in enumerate(keys)},
        **{"spk1.scp": scp["clean"]},
    )
    return root / "data" / name


class Bench:
    """Trainers over one corpus in a directory, which are timed epoch by epoch."""

    def __init__(self, root: Path, sizes: Sizes) -> None:
        self.root = root
        self.train = make_directory(root, "train", sizes, sizes.utterances)
        self.dev = make_directory(root, "dev", sizes, FILES)
        torch.manual_seed(0)
        self.ssl = str(root / "encoder")
        WavLMModel(WavLMConfig(conv_bias=False, **sizes.encoder)).save_pretrained(self.ssl)
        waveform_statistics(self.train)
        statistics = self.train / "waveform_stats.json"
        self.dumps = {}
        for content in ("states", "features"):
            for directory in (self.train, self.dev):
                output = root / content / directory.name
                options = ("bfloat16", sizes.dump_seconds, "auto")
                dump_states(directory, self.ssl, output, statistics, *options, content=content)
            self.dumps[content] = Dump(root / content / "train", root / content / "dev")
        self.made = 0

    def head(self, task: str, seed: int = 7, crop_seconds: float | None = None) -> Head:
        """A head with the paper's options for its task, in a directory of its own."""
        self.made += 1
        size = 32 if task == "emotion" else 16
        training = MeritTraining(batch_size=size, micro_batch_size=16, crop_seconds=crop_seconds)
        return Head(task, self.root / f"run{self.made}", ModelConfig(front_end="weighted_sum"), training, seed)

    def trainer(self, heads: Sequence[Head], content: str | None = None) -> Trainer:
        """A trainer of these heads on a dump, or online."""
        return phase1_trainer(heads, self.train, self.dev, self.ssl, CLASSES, 7, self.dumps.get(content))


def epoch(trainer: Trainer) -> None:
    """One epoch of all runs, always the same one."""
    for run in trainer.runs:
        run.step = 0
    trainer.train_epoch(0, trainer.runs)


def measure_kinds(bench: Bench, device: torch.device) -> None:
    """One enhancement head on crops, with the states from each source."""
    sources = {"on dumped states": "states", "on stored features": "features", "online": None}
    trainers = {
        name: bench.trainer([bench.head("enhancement", crop_seconds=1.28)], dump) for name, dump in sources.items()
    }
    taken = seconds({name: lambda one=one: epoch(one) for name, one in trainers.items()}, device, rounds=2)
    audio = sum(next(iter(trainers.values())).train_loader.dataset.samples) / 16000
    for name, time in taken.items():
        report(f"phase-1 SE head, crops of 1.28 s, {name}", audio / time, "audio-s/s")
    name = "phase-1 SE head, one run"
    if device.type != "cuda":
        report(name, None, "audio-s/s", at_least=1500)
        return
    whole = bench.trainer([bench.head("enhancement")])
    time = seconds({name: lambda: epoch(whole)}, device, rounds=3)[name]
    report(name, audio / time, "audio-s/s", at_least=1500)


def measure_shared_forward(bench: Bench, device: torch.device) -> None:
    """SER and SE heads of two seeds, whose batches differ in size, on one forward pass of the encoder for all."""
    kinds = (("emotion", None), ("enhancement", 1.28))

    def heads(task: str, crop: float | None) -> list[Head]:
        return [bench.head(task, seed, crop) for seed in (7, 17)]

    ways = {
        "one for all": [bench.trainer([head for kind in kinds for head in heads(*kind)])],
        "one for each batch size": [bench.trainer(heads(*kind)) for kind in kinds],
        "one for each head": [bench.trainer([head]) for kind in kinds for head in heads(*kind)],
    }
    taken = seconds(
        {name: lambda ones=ones: [epoch(one) for one in ones] for name, ones in ways.items()}, device, rounds=2
    )
    for name in list(ways)[1:]:
        ratio = taken[name] / taken["one for all"]
        report(f"phase 1 online, SER and SE heads of 2 seeds: one forward pass for all against {name}", ratio, "x")


def measure_parts(bench: Bench, device: torch.device) -> None:
    """Where one step of the enhancement head on crops of dumped states spends its time."""
    trainer = bench.trainer([bench.head("enhancement", crop_seconds=1.28)], "states")
    (run,) = trainer.runs
    dataset, collate = trainer.train_loader.dataset, trainer.train_loader.collate_fn

    def load() -> list:
        return collate([dataset[place, 0] for place in range(16)])

    (loaded,) = load()
    batch = trainer.prepare(loaded)
    mask = length_mask(batch.frame_lengths, batch.states.shape[1])
    model, objective = run.bare_model, run.objective

    def loss() -> torch.Tensor:
        with run.accelerator.autocast():
            output = model(batch.noisy, batch.lengths, batch.states, batch.frame_lengths)
            return objective.sums(output, batch)["enhancement"]

    def mixed() -> torch.Tensor:
        with run.accelerator.autocast():
            return model.front_end(batch.states, mask)[0]["enhancement"]

    frames = mixed().detach()

    def decode() -> None:
        with run.accelerator.autocast():
            model.enhancement_head(frames, batch.frame_lengths, batch.noisy, batch.lengths)

    parts = {
        "loader, in one worker": load,
        "copy to the device": lambda: trainer.prepare(loaded),
        "norm and weighted sum, forward": mixed,
        "BLSTM decoder, forward": decode,
        "all forward": loss,
        "all forward and backward": lambda: loss().backward(),
        "optimiser": run.optimizer.step,
        "whole step": lambda: run.train_step([batch]),
    }
    loss().backward()
    for name, time in seconds(parts, device, rounds=10, warm_up=3).items():
        report(f"SE head, one step of 16 crops: {name}", 1000 * time, "ms")


def measure_checksums(bench: Bench, device: torch.device, name: str, task: str, crop_seconds: float | None) -> None:
    """What comparing dumped states with their checksums is of the first epoch, in which most of it is done."""
    trainer = bench.trainer([bench.head(task, crop_seconds=crop_seconds)], "states")
    dataset = trainer.train_loader.dataset
    reader = dataset.states

    def compare() -> None:
        for key, samples in zip(dataset.keys, dataset.samples):
            frames = crop_window(key, 0, dataset.seed, reader.frames(key), samples, dataset.crop_frames)[0]
            start, stop = BLOCK_FRAMES * (frames.start // BLOCK_FRAMES), BLOCK_FRAMES * blocks(frames.stop)
            checksums(reader.read(key, start, min(stop, reader.frames(key))))

    taken = seconds({"compare": compare, "epoch": lambda: epoch(trainer)}, device, rounds=5)
    share = 100 * taken["compare"] / taken["epoch"]
    report(f"states compared with their checksums, of the first epoch of a {name}", share, "%", at_most=2)


def main() -> None:
    device = chosen_device(__doc__)
    if device.type == "cpu":
        os.environ["ACCELERATE_USE_CPU"] = "true"  # also where there is a GPU
    torch.manual_seed(7)
    with tempfile.TemporaryDirectory() as root:
        bench = Bench(Path(root), SIZES[device.type])
        measure_kinds(bench, device)
        measure_shared_forward(bench, device)
        measure_parts(bench, device)
        large = bench if device.type == "cuda" else Bench(Path(root) / "large", LARGE_STATES)
        measure_checksums(large, device, "SER head", "emotion", None)
        measure_checksums(large, device, "SE head, crops of 1.28 s", "enhancement", 1.28)


if __name__ == "__main__":
    main()
