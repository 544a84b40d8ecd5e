"""Babble: several talkers at once, overlaid from the utterances of a data directory or a speech corpus, as noise."""

import json
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from merit.data.audio import entry_stamp, read_audio, stamped_entry, write_audio
from merit.data.datadir import first_of, problems_in, read_table, speakers_of
from merit.data.noise.mixing import SILENCE, power
from merit.data.noise.recordings import PARTS
from merit.errors import MeritError
from merit.files import write_text
from merit.time_grid import SAMPLE_RATE

logger = logging.getLogger(__name__)

HEADER = "file\ttalker\tspeaker\tutterances"
"""First line of the manifest."""
PEAK = 0.9
"""Largest sample of a babble file; the level is of no matter, since mixing sets it."""


@dataclass(frozen=True)
class Voice:
    """A voice in a babble file: the file, relative to its corpus, the voice's number there, and what it says."""

    file: str
    talker: int
    utterances: list[str]


def make_babble(
    data: Path,
    output: Path,
    files: tuple[int, int, int] = (40, 10, 10),
    talkers: int = 4,
    seconds: float = 10.0,
    seed: int = 0,
) -> None:
    """Overlay several talkers of a data directory as a noise corpus {train,dev,test}/babble-NNN.flac with a manifest.

    The three parts use different utterances. Within a file the talkers are different speakers or, where the part has
    fewer speakers than talkers, have different utterances. All talk at the same power. A talker speaks utterances of
    the part one after the other, begins within the first, and starts over when they do not last. OUTPUT/manifest.tsv
    lists the talkers of every file and their utterances, and is written last; complete babble is not made again.

    Args:
        data: data directory whose speakers talk.
        output: folder of the noise corpus.
        files: number of files in train, dev and test.
        talkers: voices at once.
        seconds: length of a file.
        seed: seed of all choices.

    Raises:
        MeritError: when the data directory is not valid or has too few utterances, or one is unreadable or silent.
    """
    check_amounts(files, talkers, seconds)
    if problems := problems_in(data):
        raise MeritError(f"{data} cannot be made into babble; mend its tables:\n" + first_of(problems))
    wav, utt2spk = read_table(data / "wav.scp"), read_table(data / "utt2spk")
    settings = {"files": list(files), "talkers": talkers, "seconds": seconds, "seed": seed}
    settings["speech"] = {utterance: entry_stamp(entry) for utterance, entry in wav.items()}
    settings_text = json.dumps(settings, indent=1)
    settings_path, manifest = output / "settings.json", output / "manifest.tsv"
    if manifest.is_file() and settings_path.is_file() and settings_path.read_text(encoding="utf-8") == settings_text:
        logger.info("%s: complete", output)
        return
    parts = _split_utterances(utt2spk, files, seed)
    for part, utterances, count in zip(PARTS, parts, files):
        if count and len(utterances) < talkers:
            raise MeritError(
                f"{data}: {len(utterances)} utterances for {part} babble, too few for {talkers} talkers; give it more "
                "speech, or training another noise: ./run.sh --noise-seen name=/folder"
            )
    manifest.unlink(missing_ok=True)
    for old in output.glob("*/babble-*.flac"):
        old.unlink()
    voices = overlay(output, parts, wav, utt2spk, files, talkers, seconds, seed)
    lines = [HEADER]
    for voice in voices:
        speakers = " ".join(sorted({utt2spk[utterance] for utterance in voice.utterances}))
        lines.append(f"{voice.file}\t{voice.talker}\t{speakers}\t{' '.join(voice.utterances)}")
    write_text(settings_path, settings_text)
    write_text(manifest, "\n".join(lines) + "\n")
    logger.info("%s: %d files of %g s with %d talkers", output, sum(files), seconds, talkers)


def made_of(corpus: Path) -> dict[str, set[str]]:
    """For each file of babble, relative to its folder, the entries of ``wav.scp`` that talk in it.

    Args:
        corpus: a noise corpus; what :func:`make_babble` did not make has none.

    Raises:
        MeritError: when the files that tell do not fit together.
    """
    manifest, settings = corpus / "manifest.tsv", corpus / "settings.json"
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.is_file() else []
    if lines[:1] != [HEADER]:
        return {}
    found: dict[str, set[str]] = {}
    try:
        speech = json.loads(settings.read_text(encoding="utf-8"))["speech"]
        for file, _, _, utterances in (line.split("\t") for line in lines[1:]):
            stamps = (speech[utterance] for utterance in utterances.split())
            found.setdefault(file, set()).update(stamped_entry(stamp) for stamp in stamps)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MeritError(
            f"{corpus}: manifest.tsv and settings.json do not tell what this babble is made of ({error!r}); "
            "remove it, and make the babble again"
        ) from error
    return found


def check_amounts(files: Sequence[int], talkers: int, seconds: float) -> None:
    """Refuse babble of no files, no talkers or no length, with a ``MeritError``."""
    if len(files) != len(PARTS) or min(files) < 0 or sum(files) == 0 or talkers < 1 or seconds <= 0:
        raise MeritError(
            f"babble needs the number of files in train, dev and test, a talker and a length: files {list(files)}, "
            f"talkers {talkers}, seconds {seconds}"
        )


def overlay(
    output: Path,
    parts: Sequence[Sequence[str]],
    wav: Mapping[str, str],
    utt2spk: Mapping[str, str],
    files: Sequence[int],
    talkers: int,
    seconds: float,
    seed: int,
) -> list[Voice]:
    """Write the babble files of train, dev and test and return who talks in them.

    Args:
        output: where ``{train,dev,test}/babble-NNN.flac`` go.
        parts: utterances of each part, at least ``talkers`` where it gets files.
        wav: their audio.
        utt2spk: their speakers.
        files: number of files of each part.
        talkers: voices at once.
        seconds: length of a file.
        seed: of all choices.

    Raises:
        MeritError: when an utterance is unreadable or silent.
    """
    voices = []
    for part, utterances, count in zip(PARTS, parts, files):
        for number in range(count):
            generator = random.Random(f"{seed}/babble/{part}/{number}")
            groups = _talkers(utterances, utt2spk, talkers, generator)
            spoken = [_voice(group, wav, round(seconds * SAMPLE_RATE), generator) for group in groups]
            babble = sum(samples for samples, _ in spoken)
            name = f"{part}/babble-{number:03d}.flac"
            write_audio(output / name, babble * (PEAK / np.abs(babble).max()))
            voices += [Voice(name, talker, said) for talker, (_, said) in enumerate(spoken)]
    return voices


def _split_utterances(utt2spk: Mapping[str, str], files: Sequence[int], seed: int) -> list[list[str]]:
    """Share out every speaker's utterances over the parts in proportion to their files, so that each has all voices."""
    parts: list[list[str]] = [[], [], []]
    for speaker, utterances in sorted(speakers_of(utt2spk).items()):
        generator = random.Random(f"{seed}/babble/{speaker}")
        shuffled = sorted(utterances, key=lambda _: generator.random())
        taken = [0, 0, 0]
        for position, utterance in enumerate(shuffled, start=1):
            # To the part that is furthest behind its share.
            part = max(range(3), key=lambda index: files[index] / sum(files) * position - taken[index])
            taken[part] += 1
            parts[part].append(utterance)
    return parts


def _talkers(
    utterances: Sequence[str], utt2spk: Mapping[str, str], talkers: int, generator: random.Random
) -> list[list[str]]:
    """Choose the utterances of each talker of a file: one speaker's each, or dealt out where speakers are too few."""
    shuffled = sorted(utterances, key=lambda _: generator.random())
    # Sorted first: the order of a set of strings changes from process to process.
    speakers = sorted(sorted({utt2spk[utterance] for utterance in shuffled}), key=lambda _: generator.random())
    if len(speakers) < talkers:
        return [shuffled[talker::talkers] for talker in range(talkers)]
    return [[utterance for utterance in shuffled if utt2spk[utterance] == speaker] for speaker in speakers[:talkers]]


def _voice(
    utterances: Sequence[str], wav: Mapping[str, str], length: int, generator: random.Random
) -> tuple[np.ndarray, list[str]]:
    """Speak utterances until ``length`` samples are full; returns ``(length,)`` of power 1 and the utterances used."""
    pieces: list[np.ndarray] = []
    spoken: list[str] = []
    missing = length
    while missing > 0:
        utterance = utterances[len(spoken) % len(utterances)]
        samples = read_audio(wav[utterance], utterance).astype(np.float64)
        if power(samples) < SILENCE:
            raise MeritError(f"{utterance}: {wav[utterance]}: silent; take it out")
        samples /= np.sqrt(power(samples))
        if not pieces:
            samples = samples[int(generator.random() * len(samples)) :]  # talkers do not begin all at once
        pieces.append(samples[:missing])
        spoken.append(utterance)
        missing -= len(pieces[-1])
    voice = np.concatenate(pieces)
    return voice / np.sqrt(power(voice)), list(dict.fromkeys(spoken))
