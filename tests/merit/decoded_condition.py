"""A condition as stage 6 finds it: mixed, and decoded by some model."""

from pathlib import Path

import numpy as np
import soundfile


def write(path: Path, text: str) -> Path:
    """Write a file and return its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_condition(folder, condition="test_babble_5dB", utterances=2):
    """A mixed directory and its decoded folder, the "enhanced" audio lying between noisy and clean."""
    tables = {"clean": "", "noisy": "", "enhanced": ""}
    for number in range(utterances):
        rng = np.random.default_rng(number)
        envelope = np.abs(np.sin(np.arange(12800) / 1600))
        clean = 0.2 * envelope * np.sin(np.arange(12800) / 12) + 1e-3 * rng.standard_normal(12800)
        noise = 0.05 * rng.standard_normal(12800)
        for name, share in (("clean", 0.0), ("noisy", 1.0), ("enhanced", 0.3)):
            path = folder / "audio" / condition / f"{name}{number}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, clean + share * noise, 16000)
            tables[name] += f"u{number:02} {path}\n"
    data, decoded = folder / "data" / condition, folder / "exp" / "decode" / condition
    write(data / "spk1.scp", tables["clean"])
    write(data / "wav.scp", tables["noisy"])
    write(data / "utt2emo", "".join(f"u{number:02} {('anger', 'joy')[number % 2]}\n" for number in range(utterances)))
    write(decoded / "wav.scp", tables["enhanced"])
    write(decoded / "utt2emo", "".join(f"u{number:02} joy\n" for number in range(utterances)))
    probabilities = "".join(f"u{number:02},0.2,0.7,0.1\n" for number in range(utterances))
    write(decoded / "posteriors.csv", "utt,anger,joy,sadness\n" + probabilities)
    return data, decoded
