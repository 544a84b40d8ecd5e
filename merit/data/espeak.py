"""espeak-ng through ctypes: text and prosody in, waveform out.

The shared library and its data come from the wheel ``espeakng-loader``; the functions and constants are those of
espeak-ng's ``speak_lib.h`` (https://github.com/espeak-ng/espeak-ng/blob/master/src/include/espeak-ng/speak_lib.h).
"""

import ctypes
from dataclasses import astuple, dataclass
from pathlib import Path

import espeakng_loader
import numpy as np

from merit.errors import MeritError

AUDIO_OUTPUT_SYNCHRONOUS = 2
CHARACTERS_UTF8 = 1
POSITION_CHARACTER = 1
RATE, VOLUME, PITCH, RANGE = 1, 2, 3, 4  # espeak_PARAMETER

_SYNTH_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@dataclass(frozen=True)
class Prosody:
    """How a sentence is spoken, on espeak-ng's own scales and with its defaults.

    Attributes:
        rate: words a minute, 80 to 450.
        pitch: of the voice, 0 to 100; 50 is as the voice defines it.
        range: of the pitch, 0 (monotone) to 100.
        volume: 0 to 200, proportional to the amplitude above about 20.
    """

    rate: int = 175
    pitch: int = 50
    range: int = 50
    volume: int = 100


class Espeak:
    """The synthesiser. The library keeps its state in globals, so a process should hold only one of these.

    Attributes:
        sample_rate: of what ``speak`` returns, in Hz.

    Raises:
        MeritError: when the library cannot be initialised.
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.sample_rate: int = self._library.espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, data, 0)
        if self.sample_rate <= 0:
            raise MeritError(f"{data.decode()}: espeak-ng does not start with this data; reinstall espeakng-loader")
        self._chunks: list[np.ndarray] = []
        self._callback = _SYNTH_CALLBACK(self._collect)  # kept: the library holds only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, samples, count: int, events) -> int:
        """What espeak-ng calls with each piece of 16-bit audio; 0 asks for more."""
        if samples and count:
            self._chunks.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    def speak(self, text: str, voice: str, prosody: Prosody) -> np.ndarray:
        """Speak ``text``: a float32 waveform (S,) within +-1 at ``sample_rate``.

        Args:
            text: in the language of the voice.
            voice: language and, after a plus sign, variant: ``en-us+f3``.
            prosody: see ``Prosody``.

        Raises:
            MeritError: for a voice that espeak-ng does not have, or when nothing was spoken.
        """
        variant = voice.partition("+")[2]  # espeak-ng itself passes over a variant that it does not have
        known = not variant or (Path(espeakng_loader.get_data_path()) / "voices" / "!v" / variant).is_file()
        if not known or self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise MeritError(f"{voice}: espeak-ng has no such voice")
        for parameter, value in zip((RATE, PITCH, RANGE, VOLUME), astuple(prosody)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks.clear()
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(
            encoded, ctypes.c_size_t(len(encoded)), 0, POSITION_CHARACTER, 0, CHARACTERS_UTF8, None, None
        )
        if not self._chunks:
            raise MeritError(f"{voice}: espeak-ng did not speak {text!r}")
        return np.concatenate(self._chunks).astype(np.float32) / 32768
