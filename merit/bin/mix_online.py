"""Mix a training set while it is read, and its dev set once: ``python -m merit.bin.mix_online --part train ...``."""

from pathlib import Path
from typing import Literal

from merit.command import run_command
from merit.data.noise.online.drawn_set import write_drawn_set
from merit.data.noise.online.noise_options import parse_noises, parse_share
from merit.data.noise.online.online_set import write_online_set
from merit.data.noise.online.sources import BabbleSpeech, find_mixing
from merit.data.noise.online.values import Values


def mix_online(
    data: Path,
    part: Literal["train", "dev"],
    noises: list[str],
    snr: str,
    gain: str = "-3:3",
    output: Path = Path("data"),
    audio: Path = Path("dump/audio"),
    babble_data: Path = Path("data/train"),
    babble: Path = Path("dump/noise/babble"),
    talkers: int = 4,
    rir: Path | None = None,
    rir_share: float = 1.0,
    telephone_share: float = 0.0,
    seed: int = 0,
    nj: int = 1,
) -> None:
    """Write what training hears, another mixture of every utterance in every epoch, or a dev set of the same kind.

    For the part train this is <set>_online: the tables of the clean speech, and mixing.json, which says what is drawn
    from. It is mixed while it is read, by the training commands and the statistics; nothing is written but tables. For
    the part dev it is <set>_drawn, every utterance mixed once, in the layout of merit.bin.mix_noise. Corpora and rooms
    are split as there, in fractions of 0.8, 0.1 and 0.1 where they bring no parts.

    Args:
        data: data directory of the clean speech.
        part: part of noises and rooms to draw from, and which of the two is written.
        noises: name and folder of the noise corpora, as '[esc=/path,city@2=/path,babble]', with a weight behind @;
            plain babble is made on the spot in training, and for dev taken from --babble.
        snr: signal-to-noise ratio in dB, a range as --snr=-5:15 or a list as --snr="-5 0 5".
        gain: level of noisy speech and reference alike in dB, likewise.
        output: directory of the data directories; splits that are made here are in its noise/ and rir/.
        audio: directory of the mixed audio of a dev set.
        babble_data: data directory of the speech of plain babble.
        babble: folder of the babble that merit.bin.make_babble made of it, whose dev and test parts dev and test hear,
            and training hears nothing of.
        talkers: voices at once in plain babble.
        rir: folder of room impulse responses; None leaves the speech as it is.
        rir_share: of the utterances that are heard in a room, from 0 to 1.
        telephone_share: of the utterances that are heard through a telephone's band, from 0 to 1.
        seed: of all draws.
        nj: number of processes.
    """
    mixing = find_mixing(
        data,
        part,
        parse_noises(noises, "--noises"),
        Values.parse(snr, "--snr"),
        Values.parse(gain, "--gain"),
        output,
        BabbleSpeech(babble_data, babble, talkers),
        rir,
        parse_share(f"{rir_share:g}", "--rir_share"),
        parse_share(f"{telephone_share:g}", "--telephone_share"),
        seed,
    )
    if part == "train":
        write_online_set(data, mixing, output)
    else:
        write_drawn_set(data, mixing, output, audio, nj)


if __name__ == "__main__":
    run_command(mix_online)
