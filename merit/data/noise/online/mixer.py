"""Mixtures that are drawn anew in every epoch, from (seed, epoch, utterance) alone.

So a run that is killed and continued hears what it would have heard, with any number of workers and of processes.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from merit.data.audio import entry_stamp
from merit.data.noise.mixing import DRAWS, SILENCE, Mixture, mix, power
from merit.data.noise.online.noises import Babble, Recordings
from merit.data.noise.online.values import Values
from merit.data.noise.reverberation import reverberate
from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE

TELEPHONE_BAND = (300, 3400)
"""Hz that a telephone carries (ITU-T G.712)."""
TELEPHONE_ORDER = 4
"""Of the Butterworth filter that cuts this band out."""


@dataclass(frozen=True)
class OnlineMixing:
    """What is drawn from.

    Attributes:
        noises: one is drawn by its weight.
        snr: of the mixture, in dB.
        gain: of noisy speech and reference alike, in dB.
        rooms: files of impulse responses.
        room_share: of the utterances that are heard in one of the rooms, from 0 to 1.
        telephone_share: of the utterances that are heard through a telephone's band, from 0 to 1; the reference has
            that band too, so enhancement is not asked for what no mask can bring back.
        seed: of all draws.
    """

    noises: Sequence[Recordings | Babble]
    snr: Values
    gain: Values = Values((0.0,), False)
    rooms: Sequence[str] = ()
    room_share: float = 0.0
    telephone_share: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Drawn:
    """A mixture, and what was drawn for it: name of the noise, SNR and gain in dB, room, band.

    ``gain`` is what was asked; ``mixture.gain`` is below 1 where the mixture would have clipped.
    """

    mixture: Mixture
    noise: str
    snr: float
    gain: float
    room: str | None
    telephone: bool


def draw_mixture(mixing: OnlineMixing, utterance: str, speaker: str, speech: np.ndarray, epoch: int) -> Drawn:
    """Mix an utterance for one epoch.

    Args:
        mixing: what to draw from.
        utterance: its name.
        speaker: who speaks, and does not talk in its babble.
        speech: clean samples ``(S,)`` at 16 kHz.
        epoch: number of the epoch.

    Raises:
        MeritError: when the speech is silent, noise or room cannot be read, or every piece of noise is silent.
    """
    if power(speech) < SILENCE:
        raise MeritError(f"{utterance}: silent, so that its SNR is undefined; take it out of the training set")
    generator = random.Random(f"{mixing.seed}/{epoch}/{utterance}")
    # In a fixed order and whether or not it is used, so that a room changes no noise.
    noise = _weighted(mixing.noises, generator.random())
    snr, gain = mixing.snr.draw(generator), mixing.gain.draw(generator)
    in_room, which_room = generator.random() < mixing.room_share, generator.random()
    telephone = generator.random() < mixing.telephone_share
    room = mixing.rooms[int(which_room * len(mixing.rooms))] if in_room and mixing.rooms else None
    heard = None if room is None else reverberate(speech, room, entry_stamp(room))
    band = through_telephone if telephone else np.asarray
    speech, heard = band(speech), None if heard is None else band(heard)
    for _ in range(DRAWS):
        sound = band(noise.piece(generator, len(speech), speaker))
        if power(sound) >= SILENCE:
            break
    else:
        raise MeritError(f"{utterance}: {DRAWS} pieces of {noise.name} were silent; remove its silent recordings")
    louder = 10 ** (gain / 20)
    mixture = mix(speech * louder, sound, snr, None if heard is None else heard * louder)
    return Drawn(mixture, noise.name, snr, gain, room, telephone)


def through_telephone(signal: np.ndarray) -> np.ndarray:
    """Cut the band of a telephone, 300 to 3400 Hz, out of a signal ``(S,)`` at 16 kHz; float64."""
    from scipy.signal import butter, sosfilt  # takes long to import, and most mixing has no telephone

    sections = butter(TELEPHONE_ORDER, TELEPHONE_BAND, "bandpass", fs=SAMPLE_RATE, output="sos")
    return sosfilt(sections, signal.astype(np.float64))


def _weighted(noises: Sequence[Recordings | Babble], place: float) -> Recordings | Babble:
    place *= sum(noise.weight for noise in noises)
    for noise in noises:
        place -= noise.weight
        if place < 0:
            return noise
    return noises[-1]  # rounding
