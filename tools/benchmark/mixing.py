"""Training data mixed while they are read: against stored mixtures, and against audiomentations drawing the same.

One process with one thread, as a worker of a data loader, goes through utterances of 2.75 to 11 s (FLAC, 16 kHz) again
and again. What it draws is a recording, a place in it, an SNR from -5 to 15 dB and a gain from -3 to 3 dB. Ours gives
the clean reference too, scaled alike, and never clips. Both read the speech; ours keeps what it has decoded while there
is room, as it does in training, and a row says how fast it is where there is none. Signals are noise.

The rows on waiting train a phase 2 at the size of egs/mini, with one worker on mixtures that are drawn: the share of
the time that passes between the end of a step and its next batch.
"""

import itertools
import os
import random
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the recipes, and before torch looks at it
import torch
from measure import chosen_device, report, seconds
from torch.utils.data import DataLoader
from transformers import WavLMConfig

from merit.data.batching import CollateMicroBatches, EpochSampler
from merit.data.datadir import write_data_directory
from merit.data.noise.online import noises, online_speech, piece
from merit.data.noise.online.kept_audio import KeptAudio
from merit.data.noise.online.mixer import OnlineMixing
from merit.data.noise.online.noises import Babble, Recordings
from merit.data.noise.online.online_set import write_online_set
from merit.data.noise.online.values import Values
from merit.data.statistics import waveform_statistics
from merit.nets.ssl import build_encoder
from merit.systems.sparse_merit.model import MeritModel
from merit.systems.sparse_merit.model_config import ModelConfig
from merit.systems.sparse_merit.phases.dataset import UtteranceDataset

UTTERANCES = 32
CLASSES = ["angry", "happy", "neutral", "sad"]
SNR, GAIN = Values((-5.0, 15.0), True), Values((-3.0, 3.0), True)
NOISES = {  # name: (rate in Hz, seconds, files, suffix)
    "clips of 5 s, 44.1 kHz, WAV": (44100, 5, 30, "wav"),  # ESC-50's
    "recordings of 2 min, 16 kHz, WAV": (16000, 120, 3, "wav"),  # MUSAN's
    "recordings of 2 min, 48 kHz, FLAC": (48000, 120, 3, "flac"),  # DEMAND's, compressed
}
STEPS, WARM_UP = 8, 4
"""Of the training: timed, and taken before that."""


def sound(generator: np.random.Generator, samples: int) -> np.ndarray:
    """Noise with a level that moves, (S,)."""
    return 0.1 * generator.standard_normal(samples) * (1.1 + np.sin(np.arange(samples) / 3000))


def make_speech(root: Path) -> Path:
    """A data directory of four speakers, with clean references for a stored set beside it."""
    generator = np.random.default_rng(0)
    wav, stored = {}, {}
    for number in range(UTTERANCES):
        name = f"u{number:03d}"
        samples = int(np.clip(generator.gamma(4.0, 1.45), 2.75, 11.0) * 16000)
        for table, kind in ((wav, "clean"), (stored, "noisy")):
            table[name] = str(root / kind / f"{name}.flac")
            (root / kind).mkdir(exist_ok=True)
            soundfile.write(table[name], sound(generator, samples), 16000)
    speakers = {name: "abcd"[number % 4] for number, name in enumerate(wav)}
    emotions = {name: CLASSES[number % 4] for number, name in enumerate(wav)}
    write_data_directory(root / "data/train", wav, speakers, emotions)
    write_data_directory(root / "data/stored", stored, speakers, emotions, **{"spk1.scp": wav})
    return root / "data/train"


def make_noise(root: Path, rate: int, length: int, files: int, suffix: str) -> list[str]:
    """Recordings of so many seconds."""
    generator = np.random.default_rng(1)
    root.mkdir(parents=True)
    paths = [str(root / f"{number}.{suffix}") for number in range(files)]
    for path in paths:
        soundfile.write(path, sound(generator, rate * length), rate)
    return paths


def make_rooms(root: Path) -> list[str]:
    """Impulse responses of 0.5 s."""
    generator = np.random.default_rng(2)
    root.mkdir()
    decay = np.exp(-np.arange(8000) / 1000)
    for number in range(20):
        soundfile.write(root / f"{number}.wav", [1.0, *(0.1 * decay * generator.standard_normal(8000))], 16000)
    return [str(path) for path in sorted(root.iterdir())]


def keep(room: int) -> None:
    """Forget what was decoded, and keep so many bytes from now on."""
    for module in (noises, online_speech, piece):
        module.KEPT = KeptAudio(room) if module is noises else noises.KEPT


def epochs(directory: Path) -> Callable[[], None]:
    """A function that reads the next epoch of a directory as training does."""
    dataset = UtteranceDataset(directory, waveform_statistics(directory), clean=True)
    count = itertools.count()

    def read() -> None:
        epoch = next(count)
        for position in range(len(dataset)):
            dataset[position, epoch]

    return read


def augmented(speech: Path, files: list[str], rooms: list[str] | None) -> Callable[[], None] | None:
    """A function that reads and mixes all speech with audiomentations; None where that is not installed."""
    try:
        from audiomentations import AddBackgroundNoise, ApplyImpulseResponse, Compose, Gain
    except ImportError:
        return None
    warnings.filterwarnings("ignore", message=".*had to be resampled")
    in_room = [ApplyImpulseResponse(rooms, p=1.0)] if rooms else []
    noise = AddBackgroundNoise(files, min_snr_db=-5, max_snr_db=15, p=1.0)
    augment = Compose([*in_room, noise, Gain(min_gain_db=-3, max_gain_db=3, p=1.0)])
    entries = [line.split()[1] for line in (speech / "wav.scp").read_text().splitlines()]
    random.seed(0)

    def read() -> None:
        for entry in entries:
            augment(soundfile.read(entry, dtype="float32")[0], sample_rate=16000)

    return read


def compare(root: Path, speech: Path, device: torch.device) -> None:
    """Rows on what a worker reads in a second."""
    audio = sum(soundfile.info(line.split()[1]).duration for line in (speech / "wav.scp").read_text().splitlines())
    read = epochs(root / "data/stored")
    report("stored mixtures and references", audio / seconds({"": read}, device)[""], "audio-s/s")
    rooms = make_rooms(root / "rooms")
    for name, form in NOISES.items():
        files = make_noise(root / name, *form)
        rooms_of = {name: ()} | ({f"{name}, in rooms": rooms} if name == next(iter(NOISES)) else {})
        for title, heard in rooms_of.items():
            mixing = OnlineMixing([Recordings("noise", 1.0, files)], SNR, GAIN, heard, float(bool(heard)))
            directory = write_online_set(speech, mixing, root / "out")
            ours, theirs = epochs(directory), augmented(speech, files, list(heard))
            contenders = {"ours": ours} | ({"theirs": theirs} if theirs else {})
            keep(KeptAudio().room)
            taken = seconds(contenders, device, warm_up=4)
            keep(0)
            taken |= {"nothing kept": seconds({"": ours}, device, rounds=3)[""]}
            ratio = taken["theirs"] / taken["ours"] if theirs else None
            report(f"drawn, {title}", audio / taken["ours"], "audio-s/s")
            report(f"drawn with nothing kept, {title}", audio / taken["nothing kept"], "audio-s/s")
            report(f"audiomentations, {title}", audio / taken["theirs"] if theirs else None, "audio-s/s")
            report(f"drawn against audiomentations, {title}", ratio, "x", at_least=2)


def talkers(speech: Path) -> dict[str, list[str]]:
    """Who says what."""
    speakers = dict(line.split() for line in (speech / "utt2spk").read_text().splitlines())
    said: dict[str, list[str]] = {}
    for line in (speech / "wav.scp").read_text().splitlines():
        said.setdefault(speakers[line.split()[0]], []).append(line.split()[1])
    return said


def wait_for_data(root: Path, speech: Path, device: torch.device) -> None:
    """The share of a training that waits, on mixtures with recordings and with babble of four talkers."""
    from phase2_step import Step, of_merit

    files = make_noise(root / "noise", *next(iter(NOISES.values())))
    config = WavLMConfig(
        hidden_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=512,
        conv_dim=(64,) * 7,
        num_conv_pos_embedding_groups=8,
    )
    mixings = {
        "recordings": [Recordings("noise", 1.0, files)],
        "babble of four talkers": [Babble("babble", 1.0, 4, talkers(speech))],
    }
    for name, drawn in mixings.items():
        directory = write_online_set(speech, OnlineMixing(drawn, SNR, GAIN), root / "out")
        report(f"drawn, {name}, one worker", read_rate(directory, device), "audio-s/s")
        dataset = UtteranceDataset(directory, waveform_statistics(directory), classes=CLASSES, clean=True)
        sampler = EpochSampler(dataset.samples, 8)
        collate = CollateMicroBatches(dataset.collate, 8)
        loader = DataLoader(dataset, batch_sampler=sampler, collate_fn=collate, num_workers=1, persistent_workers=True)
        encoder = build_encoder(config.to_dict())
        model = ModelConfig(expert_size=256, emotion_size=1024, enhancement_size=128)
        net = MeritModel(model, encoder.num_states, encoder.hidden_size, len(CLASSES), encoder).to(device)
        batches = endless(loader, sampler)
        step = Step(net, of_merit, next(batches), bfloat16=False)
        waited = worked = 0.0
        for number in range(WARM_UP + STEPS):
            start = time.perf_counter()
            step.batches = [batch.to(device) for batch in next(batches)]
            ready = time.perf_counter()
            step()
            if number >= WARM_UP:
                waited, worked = waited + ready - start, worked + time.perf_counter() - ready
        report(f"a step at the size of egs/mini, {name}", 1000 * worked / STEPS, "ms")
        report(f"waiting for data, {name}", 100 * waited / (waited + worked), "%", at_most=5)


def read_rate(directory: Path, device: torch.device) -> float:
    """Audio seconds in a second of one process."""
    keep(KeptAudio().room)
    read = epochs(directory)
    dataset = UtteranceDataset(directory, waveform_statistics(directory))
    return sum(dataset.seconds) / seconds({"": read}, device, warm_up=2)[""]


def endless(loader: DataLoader, sampler: EpochSampler) -> Iterator[list]:
    """Batches of one epoch after the other."""
    for epoch in itertools.count():
        sampler.start_at(epoch, 0)
        yield from loader


def main() -> None:
    """Print the rows."""
    device = chosen_device(__doc__)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        speech = make_speech(root)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        compare(root, speech, device)
        torch.set_num_threads(min(threads, os.cpu_count() or 1))
        wait_for_data(root, speech, device)


if __name__ == "__main__":
    main()
