"""A training set that is mixed while it is read: clean speech of three speakers, recordings, talkers and rooms."""

from pathlib import Path

import numpy as np
from made_audio import write

from merit.data.datadir import read_table, write_data_directory
from merit.data.noise.online.mixer import OnlineMixing
from merit.data.noise.online.noises import Babble, Recordings
from merit.data.noise.online.online_set import write_online_set
from merit.data.noise.online.values import Values


def make_mixing(root: Path, **changes) -> OnlineMixing:
    """All that can be drawn: noise at two rates, shorter and longer than speech, talkers, rooms, a telephone."""
    generator = np.random.default_rng(5)
    files = [
        write(root / "hum" / f"{number}.wav", 0.1 * generator.standard_normal(length), rate)
        for number, (length, rate) in enumerate([(3000, 16000), (40000, 16000), (90000, 44100)])
    ]
    speech = {
        speaker: [write(root / "talk" / f"{speaker}{n}.wav", 0.1 * generator.standard_normal(5000)) for n in range(2)]
        for speaker in "abcd"
    }
    rooms = []
    for number in range(3):
        response = np.concatenate([[1.0], 0.02 * generator.standard_normal(500 + number)])
        rooms.append(write(root / "rooms" / f"{number}.wav", response))
    options = {
        "noises": [Recordings("hum", 2.0, files), Babble("babble", 1.0, 2, speech)],
        "snr": Values((-5.0, 15.0), True),
        "gain": Values((-3.0, 3.0), True),
        "rooms": rooms,
        "room_share": 0.5,
        "telephone_share": 0.3,
        "seed": 3,
        "content": "made",
    }
    return OnlineMixing(**options | changes)


def make_online_set(mixed: Path, root: Path, name: str = "train", **changes) -> Path:
    """``root/<name>_online``, of the clean references of a mixed directory, whose speakers become a, b and c."""
    tables = {table: read_table(mixed / table) for table in ("spk1.scp", "utt2emo", "utt2dur")}
    speakers = {utterance: "abc"[place % 3] for place, utterance in enumerate(tables["spk1.scp"])}
    write_data_directory(root / name, tables["spk1.scp"], speakers, tables["utt2emo"], tables["utt2dur"])
    return write_online_set(root / name, make_mixing(root, **changes), root)
