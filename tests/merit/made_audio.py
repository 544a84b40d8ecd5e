"""Audio files of samples, for tests."""

from pathlib import Path

import numpy as np
import soundfile


def write(path: Path, samples: np.ndarray, rate: int = 16000) -> str:
    """Write a WAV of floating point, or a FLAC of 16 bits, and return its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="FLOAT" if path.suffix == ".wav" else "PCM_16")
    return str(path)
