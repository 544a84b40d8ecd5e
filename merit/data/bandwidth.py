"""Wide and narrow band: speech as a telephone of 8 kHz leaves it, and which of the two a recording is.

What training with noise draws as a telephone (``merit.data.noise.online``) cuts out 300 to 3400 Hz besides; here, as in
S-MoE, only the sampling rate is that of a telephone.
"""

import io

import numpy as np
import soundfile

from merit.data.audio import resample, to_16_bits
from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE

NARROW_RATE = 8000
"""Hz."""
CODECS = ("resample", "mu_law")

EDGE = 4000
"""Hz: what lies above, narrow-band speech does not have."""
NARROW_SHARE = -56.0
"""dB that the energy above the edge has of all energy; less is narrow.

Measured on 400 utterances each of EMO-DB and nEMO and 390 of Mboshi, all recorded at 16 kHz, as they are and after
:func:`narrow_band`, in 16 bits: the least of the former is -48.3 dB (their medians are -16, -21 and -22), the greatest
of the latter -64.0 dB, where what the rounding to 16 bits adds is all there is. The threshold lies in the middle.
"""
WINDOW = 512
"""Samples (32 ms), Hann: an edge in frequency is as sharp as 63 Hz."""


def narrow_band(waveform: np.ndarray, codec: str = "resample") -> np.ndarray:
    """Speech as a telephone of 8 kHz leaves it, at 16 kHz again: 16 to 8 to 16 kHz by polyphase filters.

    Args:
        waveform: samples at 16 kHz, float32 ``(S,)``.
        codec: ``resample``, or ``mu_law``: the 8 kHz also pass through G.711 mu-law, 8 bits a sample.

    Returns:
        float32 ``(S,)``.

    Raises:
        MeritError: when the codec is another.
    """
    if codec not in CODECS:
        raise MeritError(f"codec {codec!r}: expected {' or '.join(CODECS)}")
    narrow = resample(waveform, SAMPLE_RATE, NARROW_RATE)
    if codec == "mu_law":
        narrow = _through_mu_law(narrow)
    return resample(narrow, NARROW_RATE)[: len(waveform)]


def energy_above_edge(waveform: np.ndarray) -> float:
    """Energy above 4 kHz beside all energy, in dB; minus infinity where there is none.

    Args:
        waveform: samples at 16 kHz, ``(S,)``.
    """
    from scipy.signal import welch  # takes long to import

    frequencies, power = welch(waveform, SAMPLE_RATE, nperseg=min(WINDOW, len(waveform)))
    above = power[frequencies > EDGE].sum()
    return float(10 * np.log10(above / power.sum())) if above else -np.inf


def detect_bandwidth(waveform: np.ndarray) -> str:
    """``wide`` or ``narrow``, by the energy above 4 kHz; silence is narrow.

    Args:
        waveform: samples at 16 kHz, ``(S,)``.
    """
    return "wide" if energy_above_edge(waveform) > NARROW_SHARE else "narrow"


def _through_mu_law(samples: np.ndarray) -> np.ndarray:
    """Code samples ``(S,)`` by G.711 mu-law and decode them; libsndfile has the standard's segments."""
    file = io.BytesIO()
    soundfile.write(file, to_16_bits(samples), NARROW_RATE, format="RAW", subtype="ULAW")
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32", samplerate=NARROW_RATE, channels=1, format="RAW", subtype="ULAW")
    return decoded
