"""What the mixtures of one set are drawn from: files of the noises and rooms that are for it, after the leak checks."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from merit.data.datadir import first_of, problems_in, read_table
from merit.data.noise.babble import made_of
from merit.data.noise.online.mixer import OnlineMixing
from merit.data.noise.online.noise_options import NoiseOption
from merit.data.noise.online.noises import Babble, Recordings
from merit.data.noise.online.values import Values
from merit.data.noise.prepared_folder import check_audio
from merit.data.noise.recordings import NoiseFile, noise_files
from merit.data.noise.reverberation import response_files
from merit.errors import MeritError

HELD_OUT = ("dev", "test")
"""Parts of the babble whose talkers' utterances training does not hear."""


@dataclass(frozen=True)
class BabbleSpeech:
    """Who talks in babble that is made on the spot.

    Attributes:
        data: data directory whose speakers talk.
        folder: babble made of it (``merit.data.noise.babble``), of whose parts dev and test are those of the recipe.
            What is said in these is not said in training.
        talkers: voices at once.
    """

    data: Path
    folder: Path
    talkers: int


def find_mixing(
    data: Path,
    part: Literal["train", "dev"],
    noises: Sequence[NoiseOption],
    snr: Values,
    gain: Values,
    manifests: Path,
    babble: BabbleSpeech,
    rooms: Path | None = None,
    room_share: float = 1.0,
    telephone_share: float = 0.0,
    seed: int = 0,
) -> OnlineMixing:
    """Find what the mixtures of a data directory are drawn from.

    Args:
        data: the data directory. Of babble that was made before, no file is mixed with an utterance that talks in it.
        part: of every corpus. On the spot babble is made for training alone; the dev set hears that of the folder.
        noises: to draw from.
        snr, gain: in dB.
        manifests: folder of ``noise/<name>.tsv`` and ``rir/<folder>.tsv`` (``merit.data.noise.recordings``).
        babble: for a noise without a folder.
        rooms: folder of impulse responses; None for none.
        room_share, telephone_share: of the utterances, from 0 to 1.
        seed: of the draws and of splits that are made here.

    Raises:
        MeritError: when a corpus leaks or cannot be used, a file is damaged, or an utterance talks in all of its noise.
    """
    if problems := problems_in(data):
        raise MeritError(f"{data} cannot be mixed; mend its tables or make it again:\n" + first_of(problems))
    wav = read_table(data / "wav.scp")
    found: list[Recordings | Babble] = []
    content: list[str] = []
    for noise in noises:
        folder = noise.folder or babble.folder
        files = noise_files(folder, manifests / "noise" / f"{noise.name}.tsv", part, seed=seed)
        if noise.folder is None and part == "train":
            said = _training_speech(babble)
            speech = {speaker: list(entries.values()) for speaker, entries in said.items()}
            found.append(Babble(noise.name, noise.weight, babble.talkers, speech))
            content += [f"{speaker} {utterance}" for speaker, entries in said.items() for utterance in entries]
        else:
            check_audio(folder, [file.file for file in files])
            found.append(_recordings(noise, folder, files, wav))
            content += [file.content for file in files]
    responses: Sequence[NoiseFile] = ()
    if rooms is not None:
        responses = response_files(rooms, manifests / "rir" / f"{rooms.resolve().name}.tsv", part, seed)
        content += [file.content for file in responses]
    return OnlineMixing(
        noises=found,
        snr=snr,
        gain=gain,
        rooms=[str(Path(file.file).absolute()) for file in responses],
        room_share=room_share if responses else 0.0,
        telephone_share=telephone_share,
        seed=seed,
        content=hashlib.blake2b("\n".join(content).encode(), digest_size=16).hexdigest(),
    )


def _recordings(noise: NoiseOption, folder: Path, files: Sequence[NoiseFile], wav: Mapping[str, str]) -> Recordings:
    """Files of a corpus; where it is babble of known speech, with the utterances of ``wav`` that talk in them."""
    paths = {file.file: str((folder / file.file).absolute()) for file in files}
    utterances = {entry: utterance for utterance, entry in wav.items()}
    talking = {
        paths[file]: sorted(utterances[entry] for entry in entries if entry in utterances)
        for file, entries in made_of(folder).items()
        if file in paths
    }
    talking = {file: names for file, names in talking.items() if names}
    recordings = Recordings(noise.name, noise.weight, list(paths.values()), talking)
    if nowhere := sorted({name for names in talking.values() for name in names if not recordings.allowed(name)}):
        raise MeritError(
            f"{noise.name}: all noise files hold {nowhere[0]}; make the babble of other speech (--babble-data)"
        )
    return recordings


def _training_speech(babble: BabbleSpeech) -> dict[str, dict[str, str]]:
    """Speaker -> utterance -> entry of ``wav.scp``, of all that is not in babble of the dev and test parts."""
    spoken = made_of(babble.folder)
    if not spoken:
        raise MeritError(
            f"{babble.folder}: does not tell who talks in it; make it with merit.bin.make_babble, so that training "
            "hears nothing of what dev and test do"
        )
    held_out = {entry for file, entries in spoken.items() if file.split("/")[0] in HELD_OUT for entry in entries}
    speakers = read_table(babble.data / "utt2spk")
    said: dict[str, dict[str, str]] = {}
    for utterance, entry in read_table(babble.data / "wav.scp").items():
        if entry not in held_out:
            said.setdefault(speakers[utterance], {})[utterance] = entry
    return said
