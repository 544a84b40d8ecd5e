"""VCTK-DEMAND (Valentini-Botinhao et al. 2016), noisy speech with its clean reference, as Kaldi data directories.

The corpus has folders ``noisy_<set>_wav`` and ``clean_<set>_wav`` with the same files ``p226_001.wav``, <set> being
``trainset_28spk``, ``trainset_56spk`` or ``testset``, and a file ``log_<set>.txt`` with a line ``p226_001 babble 15``
(utterance, noise, SNR in dB) for each of them.
"""

import logging
import math
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from merit.command import run_command
from merit.data.audio import audio_duration
from merit.data.corpus import THREADS, refuse_incomplete
from merit.data.datadir import first_of, write_data_directory
from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE

logger = logging.getLogger(__name__)

TRAIN_SETS = ("28spk", "56spk")
EXPECTED = {"trainset_28spk": 11572, "testset": 824}
FILE_NAME = re.compile(r"(p\d{3})_\d{3}\.wav")  # speaker, sentence
LOG_LINE = re.compile(r"(p\d{3}_\d{3})\s+(\S+)\s+(-?\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True)
class Pair:
    """An utterance with noise and without, its length in seconds, and its noise and SNR (dB) where they are known."""

    noisy: Path
    clean: Path
    seconds: float
    noise: str | None
    snr: str | None

    @property
    def speaker(self) -> str:
        """The first part of the name."""
        return self.noisy.stem[:4]


def find_files(folder: Path) -> dict[str, Path]:
    """Find the files of a folder by utterance.

    Raises:
        MeritError: when it has no WAV files, or one is not named as in the corpus.
    """
    files = sorted(path for path in folder.glob("*.wav") if not path.name.startswith("."))
    if not files:
        raise MeritError(
            f"{folder}: no files of VCTK-DEMAND here; give the folder that holds noisy_trainset_28spk_wav, "
            "clean_trainset_28spk_wav, noisy_testset_wav and clean_testset_wav (./run.sh --vctk-demand FOLDER). The "
            "corpus is free: https://datashare.ed.ac.uk/handle/10283/2791"
        )
    if problems := [f"{path}: not a file of VCTK-DEMAND" for path in files if not FILE_NAME.fullmatch(path.name)]:
        raise MeritError(first_of(problems))
    return {path.stem: path.resolve() for path in files}


def read_log(corpus: Path, name: str) -> dict[str, tuple[str, str]]:
    """Read noise and SNR by utterance from ``logfiles/log_<name>.txt`` or ``log_<name>.txt``; nothing without them.

    Raises:
        MeritError: for a line of another form, or an utterance that comes twice.
    """
    path = corpus / "logfiles" / f"log_{name}.txt"
    if not path.is_file():
        path = corpus / path.name
    if not path.is_file():
        logger.info("%s: no log_%s.txt, so its noises and SNRs are not known", corpus, name)
        return {}
    log: dict[str, tuple[str, str]] = {}
    problems = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = LOG_LINE.fullmatch(line)
        if match is None or match[1] in log:
            problems.append(f"{path}:{number}: expected a new utterance, its noise and its SNR: {line!r}")
        else:
            log[match[1]] = (match[2], match[3])
    if problems:
        raise MeritError(first_of(problems))
    return log


def find_pairs(corpus: Path, name: str) -> tuple[dict[str, Pair], list[str]]:
    """Find the pairs of a set, and say of every other utterance what is wrong with it.

    Args:
        corpus: the corpus.
        name: ``trainset_28spk``, ``trainset_56spk`` or ``testset``.

    Returns:
        The pairs by utterance; a line for each file that is missing or damaged, and each pair of different lengths.

    Raises:
        MeritError: when a folder is not there, or the log lacks utterances.
    """
    folders = [corpus / f"{kind}_{name}_wav" for kind in ("noisy", "clean")]
    noisy, clean = map(find_files, folders)
    log = read_log(corpus, name)
    found = noisy.keys() | clean.keys()
    if log and (unknown := sorted(found - log.keys())):
        raise MeritError(
            f"log_{name}.txt has no line for {len(unknown)} utterances, as {unknown[0]}; restore it from the corpus, "
            "or remove it to go on without noises and SNRs"
        )
    known = found | log.keys()
    problems = [
        f"{folder / utterance}.wav: missing"
        for utterance in sorted(known)
        for folder, files in zip(folders, (noisy, clean))
        if utterance not in files
    ]
    if (nameless := EXPECTED.get(name, 0) - len(known)) > 0:
        problems.append(f"{nameless} utterances of {name}: missing; a whole log_{name}.txt would tell their names")
    pairs = {}
    both = sorted(noisy.keys() & clean.keys())
    with ThreadPoolExecutor(THREADS) as pool:
        lengths = [pool.map(duration_or_problem, [files[utterance] for utterance in both]) for files in (noisy, clean)]
        for utterance, *seconds in zip(both, *lengths):
            if damaged := [length for length in seconds if isinstance(length, str)]:
                problems += damaged
            elif seconds[0] != seconds[1]:
                problems.append(f"{noisy[utterance]}: {seconds[0]:.5f} s, and its reference {seconds[1]:.5f} s")
            else:
                noise, snr = log.get(utterance, (None, None))
                pairs[utterance] = Pair(noisy[utterance], clean[utterance], seconds[0], noise, snr)
    logger.info("%s: %d pairs of %d", name, len(pairs), max(len(known), EXPECTED.get(name, 0)))
    return pairs, problems


def duration_or_problem(path: Path) -> float | str:
    """Seconds of a file, or what is wrong with it."""
    try:
        return audio_duration(str(path), path.stem)
    except MeritError as error:
        return str(error)


def prepare_vctk_demand(
    corpus: Path,
    output: Path,
    train_sets: str = "28spk",
    dev_speakers: str = "p226 p287",
    allow_missing: bool = False,
) -> None:
    """Write the data directories ``train``, ``dev`` and ``test`` of VCTK-DEMAND, which have no speaker in common.

    They hold noisy speech already: ``wav.scp`` is the noisy speech, ``spk1.scp`` its clean reference. Where the corpus
    has its logs, ``utt2noise`` and ``utt2snr`` are written too. There are no emotions.

    Args:
        corpus: the folder that holds ``noisy_trainset_28spk_wav`` and the others.
        output: folder of the data directories.
        train_sets: the training speakers: 28spk, 56spk or both (space-separated).
        dev_speakers: those of them that make ``dev`` (space-separated).
        allow_missing: go on without pairs that are missing, damaged or of different lengths, instead of stopping.

    Raises:
        MeritError: when the corpus is not there or not whole, a speaker of dev is not among those of the training, or a
            set is empty.
    """
    names, dev = train_sets.split(), dev_speakers.split()
    if not names or {*names} - {*TRAIN_SETS}:
        raise MeritError(f"train_sets {train_sets!r}: expected {' or '.join(TRAIN_SETS)}, or both")
    training: dict[str, Pair] = {}
    problems = []
    for name in names:
        pairs, chosen_files = find_pairs(corpus, f"trainset_{name}")
        training |= pairs
        problems += chosen_files
    test, chosen_files = find_pairs(corpus, "testset")
    if problems := problems + chosen_files:
        logger.warning("the corpus is not whole:\n%s", first_of(problems, limit=5))
    refuse_incomplete(
        f"{corpus}: {len(problems)} problems with its files", problems, output / "bad_pairs.txt", allow_missing
    )
    speakers = {pair.speaker for pair in training.values()}
    if unknown := sorted({*dev} - speakers):
        raise MeritError(
            f"dev_speakers: {' '.join(unknown)} is not among the speakers of {train_sets}: {' '.join(sorted(speakers))}"
        )
    write_set(output / "train", {key: pair for key, pair in training.items() if pair.speaker not in dev})
    write_set(output / "dev", {key: pair for key, pair in training.items() if pair.speaker in dev})
    write_set(output / "test", test)


def write_set(path: Path, pairs: Mapping[str, Pair]) -> None:
    """Write one data directory with absolute paths, and log its counts."""
    tables = {"spk1.scp": {key: str(pair.clean) for key, pair in pairs.items()}}
    if all(pair.snr is not None for pair in pairs.values()):
        tables["utt2noise"] = {key: pair.noise for key, pair in pairs.items()}
        tables["utt2snr"] = {key: pair.snr for key, pair in pairs.items()}
    # To the sample at 16 kHz: nothing is mixed, so that no later stage measures it, and frame counts follow from it.
    samples = {key: math.ceil(round(pair.seconds * SAMPLE_RATE, 3)) for key, pair in pairs.items()}
    write_data_directory(
        path,
        wav={key: str(pair.noisy) for key, pair in pairs.items()},
        utt2spk={key: pair.speaker for key, pair in pairs.items()},
        utt2dur={key: str(count / SAMPLE_RATE) for key, count in samples.items()},
        **tables,
    )
    logger.info(
        "%s: %d utterances, %d speakers, %.2f hours",
        path,
        len(pairs),
        len({pair.speaker for pair in pairs.values()}),
        sum(samples.values()) / SAMPLE_RATE / 3600,
    )


if __name__ == "__main__":
    run_command(prepare_vctk_demand)
