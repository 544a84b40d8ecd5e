"""Reading a data directory that is mixed while it is read."""

import hashlib
from pathlib import Path

from merit.data.audio import MIN_SAMPLES, audio_digest, entry_stamp
from merit.data.datadir import MIXING, read_table
from merit.data.noise.mixing import too_short
from merit.data.noise.online.kept_audio import KEPT
from merit.data.noise.online.mixer import Drawn, draw_mixture
from merit.data.noise.online.mixing_file import mixing_text, read_mixing
from merit.errors import MeritError


class OnlineSpeech:
    """The mixtures of a directory with ``mixing.json``.

    Args:
        directory: with wav.scp, which holds clean speech, and utt2spk.

    Raises:
        MeritError: when a table or ``mixing.json`` cannot be used, or an utterance has no speaker.
    """

    def __init__(self, directory: Path) -> None:
        self.wav = read_table(directory / "wav.scp")
        self.speakers = read_table(directory / "utt2spk")
        self.mixing = read_mixing(directory / MIXING)
        if missing := sorted(self.wav.keys() - self.speakers.keys()):
            raise MeritError(f"{directory / 'utt2spk'}: no line for utterance {missing[0]}, which wav.scp has")

    def draw(self, utterance: str, epoch: int) -> Drawn:
        """The mixture of an utterance in an epoch.

        Raises:
            MeritError: when the utterance is too short or silent, or it or its noise cannot be read.
        """
        speech = KEPT.read(self.wav[utterance], utterance)
        if len(speech) < MIN_SAMPLES:
            raise MeritError(too_short(utterance, self.wav[utterance], len(speech)))
        return draw_mixture(self.mixing, utterance, self.speakers[utterance], speech, epoch)

    def digest(self) -> str:
        """SHA-256 over all that the mixtures follow from; another one means that other mixtures are heard.

        Of the audio of speech, noise and rooms, entries, sizes and time stamps count.

        Raises:
            MeritError: when a file is missing.
        """
        entries = [*self.mixing.rooms, *(entry for noise in self.mixing.noises for entry in noise.entries)]
        parts = [audio_digest(self.wav), mixing_text(self.mixing), *map(str, self.speakers.items())]
        for entry in entries:
            try:
                parts.append(entry_stamp(entry))
            except FileNotFoundError as error:
                raise MeritError(f"{entry}: not there any more; restore it, or run the noise mixing again") from error
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
