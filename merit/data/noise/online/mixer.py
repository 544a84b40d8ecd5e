"""Mixtures that are drawn anew in every epoch, from (seed, epoch, utterance) alone.

So a run that is killed and continued hears what it would have heard, with any number of workers and of processes.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from merit.data.audio import entry_stamp
from merit.data.noise.mixing import SILENCE, Mixture, mix, power
from merit.data.noise.online.noises import Babble, Piece, Recordings
from merit.data.noise.online.values import Values
from merit.data.noise.reverberation import reverberate
from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE

DRAWS = 100
"""Pieces of noise that are tried for an utterance until one is not silent: an epoch draws as many as it has utterances,
so noise that is silent for half of its length must not end a training."""
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
        content: digest of what the files of noises and rooms hold, by which one mixing is told from another.
    """

    noises: Sequence[Recordings | Babble]
    snr: Values
    gain: Values = Values((0.0,), False)
    rooms: Sequence[str] = ()
    room_share: float = 0.0
    telephone_share: float = 0.0
    seed: int = 0
    content: str = ""


@dataclass(frozen=True)
class Drawn:
    """A mixture, and what was drawn for it.

    Attributes:
        mixture: at most of full scale; its ``gain`` is below 1 where it would have clipped.
        noise: file of the noise, or who talks.
        offset: its first sample in the file, at 16 kHz.
        skipped: silent pieces that were drawn before this one.
        snr, gain: in dB, as drawn.
        room: file of the impulse response; None for none.
        telephone: whether it is heard through a telephone's band.
    """

    mixture: Mixture
    noise: str
    offset: int
    skipped: int
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
    generator = random.Random(f"{mixing.seed}/{epoch}/{utterance}")
    # In a fixed order and whether or not it is used, so that a room changes no noise.
    noise = _weighted(mixing.noises, generator.random())
    snr, gain = mixing.snr.draw(generator), mixing.gain.draw(generator)
    in_room, which_room = generator.random() < mixing.room_share, generator.random()
    telephone = generator.random() < mixing.telephone_share
    room = mixing.rooms[int(which_room * len(mixing.rooms))] if in_room and mixing.rooms else None
    # All in single precision, which is what training hears, and several times as fast.
    heard = None if room is None else reverberate(speech, room, entry_stamp(room), np.float32)
    if telephone:
        speech, heard = through_telephone(speech), None if heard is None else through_telephone(heard)
    if power(speech) < SILENCE:
        raise MeritError(
            f"{utterance}: silent{' in the band of a telephone' if telephone else ''}, so that its SNR is undefined; "
            "take it out of the training set"
        )
    piece, sound, skipped = _audible(noise, generator, len(speech), utterance, speaker, telephone)
    louder = 10 ** (gain / 20)
    mixture = mix(speech * louder, sound, snr, None if heard is None else heard * louder, np.float32)
    return Drawn(mixture, piece.source, piece.offset, skipped, snr, gain, room, telephone)


def _audible(
    noise: Recordings | Babble, generator: random.Random, length: int, utterance: str, speaker: str, telephone: bool
) -> tuple[Piece, np.ndarray, int]:
    """The first piece that is not silent, as it is heard, and how many were."""
    for skipped in range(DRAWS):
        piece = noise.piece(generator, length, utterance, speaker)
        sound = through_telephone(piece.samples) if telephone else piece.samples
        if power(sound) >= SILENCE:
            return piece, sound, skipped
    raise MeritError(f"{utterance}: {DRAWS} pieces of {noise.name} were silent; remove its silent recordings")


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
