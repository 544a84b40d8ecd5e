"""espeak-ng: what it speaks, and voices that it does not have."""

import subprocess
import sys

import numpy as np

SPEAK = """
import sys
import numpy as np
from merit.data.espeak import Espeak, Prosody
np.save(sys.argv[1], Espeak().speak("Seven boxes.", sys.argv[2], Prosody(rate=int(sys.argv[3]))))
"""


def speak(path, voice, rate=175):
    """In a process of its own: the library keeps its state in globals."""
    command = [sys.executable, "-c", SPEAK, str(path), voice, str(rate)]
    return subprocess.run(command, capture_output=True, text=True)


def test_slow_speech_takes_longer(tmp_path):
    for rate in (120, 240):
        assert speak(tmp_path / f"{rate}.npy", "en-us+f3", rate).returncode == 0
    slow, fast = (np.load(tmp_path / f"{rate}.npy") for rate in (120, 240))
    assert slow.dtype == np.float32 and 0.01 < np.abs(slow).max() <= 1
    assert len(slow) > 1.3 * len(fast)


def test_an_unknown_voice_is_refused(tmp_path):
    refused = speak(tmp_path / "nobody.npy", "en-us+nobody")
    assert "MeritError: en-us+nobody: espeak-ng has no such voice" in refused.stderr
