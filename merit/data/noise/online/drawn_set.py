"""Making ``<set>_drawn``: every utterance mixed once, by the draw that training makes anew in every epoch."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from merit.data.audio import MIN_SAMPLES, entry_stamp, read_audio
from merit.data.datadir import first_of, problems_in, read_table
from merit.data.noise.mixed_condition import Condition, Mixed, mix_all
from merit.data.noise.mixed_names import drawn_name
from merit.data.noise.mixing import too_short, write_mixture
from merit.data.noise.online.mixer import OnlineMixing, draw_mixture
from merit.data.noise.online.mixing_file import mixing_text, read_mixing
from merit.errors import MeritError
from merit.files import write_text

EPOCH = -1
"""That these mixtures are drawn for; training has none below 0."""


class Utterance(NamedTuple):
    """One to mix: its name, speaker, entry of ``wav.scp`` and its stamp, audio folder, file that has the mixing."""

    name: str
    speaker: str
    entry: str
    stamp: str
    folder: Path
    mixing: Path


def write_drawn_set(data: Path, mixing: OnlineMixing, output: Path, audio: Path, nj: int = 1) -> Path:
    """Mix a data directory ``<set>`` once; what was mixed before from the same is kept.

    Args:
        data: the data directory ``<set>``.
        mixing: what its mixtures are drawn from.
        output: parent of ``<set>_drawn``, which has the tables of stored mixtures; SNRs differ from line to line.
        audio: parent of its audio, ``<set>_drawn/{noisy,clean,noise}/<utterance>.flac``, with ``mixing.json`` beside.
        nj: processes.

    Raises:
        MeritError: when ``data`` cannot be mixed or, once all others are mixed, with every utterance that cannot be.
            The directory is only written whole.
    """
    if nj < 1:
        raise MeritError(f"--nj {nj}: expected at least one process")
    if problems := problems_in(data):
        raise MeritError(f"{data} cannot be mixed; mend its tables or make it again:\n" + first_of(problems))
    wav, speakers = read_table(data / "wav.scp"), read_table(data / "utt2spk")
    stamps = {utterance: entry_stamp(entry) for utterance, entry in wav.items()}
    name = drawn_name(data.resolve().name)
    text = mixing_text(mixing)
    settings = {"mixing": hashlib.blake2b(text.encode(), digest_size=16).hexdigest(), "epoch": EPOCH}
    condition = Condition(output / name, audio / name, settings, {})
    condition.read_record(stamps)
    kept = condition.folder / "mixing.json"
    work = [
        Utterance(utterance, speakers[utterance], entry, stamps[utterance], condition.folder, kept)
        for utterance, entry in wav.items()
        if utterance not in condition.mixed
    ]
    if work:
        write_text(kept, text)
        if problems := mix_all(work, _mix, {"drawn": condition}, nj):
            raise MeritError(
                f"{data}: {len(problems)} problems, all else is mixed and kept; mend these or take the utterances out "
                "of its tables, and run the same command again:\n" + first_of(problems)
            )
    condition.write_tables(data, wav)
    return condition.directory


def _mix(utterance: Utterance) -> dict[str, Mixed] | str:
    """Mix one utterance; a problem with its speech or noise is returned, so that the others go on."""
    try:
        mixing = _read_mixing(utterance.mixing, entry_stamp(str(utterance.mixing)))
        speech = read_audio(utterance.entry, utterance.name)
        if len(speech) < MIN_SAMPLES:
            return too_short(utterance.name, utterance.entry, len(speech))
        drawn = draw_mixture(mixing, utterance.name, utterance.speaker, speech, EPOCH)
    except MeritError as error:
        return str(error)
    mixed = Mixed(
        utterance=utterance.name,
        speech=utterance.stamp,
        noise=drawn.noise,
        offset=drawn.offset,
        skipped=drawn.skipped,
        gain=drawn.mixture.gain * 10 ** (drawn.gain / 20),
        measured=write_mixture(drawn.mixture, utterance.folder, utterance.name),
        samples=len(speech),
        rir=drawn.room,
        snr=drawn.snr,
        telephone=drawn.telephone if mixing.telephone_share else None,
    )
    return {"drawn": mixed}


@lru_cache(maxsize=1)
def _read_mixing(path: Path, stamp: str) -> OnlineMixing:
    """Read once in a process, as long as the file's ``stamp`` is the same."""
    return read_mixing(path)
