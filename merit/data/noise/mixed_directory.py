"""Mixing whole data directories: ``<set>`` and noise become ``<set>_<noise>_<snr>dB`` for every SNR, resumably."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import joblib

from merit.data.audio import MIN_SAMPLES, audio_duration, entry_stamp
from merit.data.datadir import first_of, problems_in, read_table, write_data_directory
from merit.data.noise.babble import made_of
from merit.data.noise.mixed_names import condition_name
from merit.data.noise.mixing import SIGNALS, Job, draw_noise, mix, read_sources, too_short, write_mixture
from merit.data.noise.recordings import NoiseFile
from merit.data.noise.reverberation import draw_response
from merit.errors import MeritError
from merit.files import write_text
from merit.progress import progress
from merit.time_grid import SAMPLE_RATE

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Mixed:
    """A line of the record ``mixing.jsonl``: what became of one utterance at one SNR.

    Attributes:
        utterance: its name.
        speech: stamp of the speech that was mixed (``merit.data.audio.entry_stamp``).
        noise: the noise file.
        offset: its first sample in the mixture, at 16 kHz.
        skipped: silent noise pieces that were drawn before this one.
        gain: the joint gain; 1 when nothing would have clipped.
        measured: SNR in dB of the written 16-bit files.
        samples: length at 16 kHz.
        rir: the impulse response that the speech was convolved with; None for none.
    """

    utterance: str
    speech: str
    noise: str
    offset: int
    skipped: int
    gain: float
    measured: float
    samples: int
    rir: str | None = None

    def line(self) -> str:
        """The line of the record; without an impulse response it does not mention any."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None}) + "\n"


@dataclass
class Condition:
    """One SNR: mixed directory, audio folder, the settings its audio depends on, and what is mixed already."""

    directory: Path
    folder: Path
    settings: dict[str, object]
    mixed: dict[str, Mixed]

    @property
    def record(self) -> Path:
        return self.folder / "mixing.jsonl"


def mix_data_directory(
    data: Path,
    noise: str,
    corpus: Path,
    files: Sequence[NoiseFile],
    snrs: Sequence[float],
    output: Path,
    audio: Path,
    seed: int = 0,
    nj: int = 1,
    rooms: Sequence[NoiseFile] = (),
) -> list[Path]:
    """Mix a data directory with noise at every SNR; what was mixed before with the same settings is kept.

    Args:
        data: the data directory ``<set>``.
        noise: name of the noise.
        corpus: folder of the noise corpus. Of babble that ``merit.data.noise.babble`` made, no file is mixed with an
            utterance that talks in it.
        files: its files to draw from (``merit.data.noise.recordings.noise_files``).
        snrs: SNRs in dB.
        output: directory of the mixed directories ``<set>_<noise>_<snr>dB``.
        audio: directory of their audio, ``<set>_<noise>_<snr>dB/{noisy,clean,noise}/<utterance>.flac``.
        seed: of the choice of noise pieces.
        nj: processes.
        rooms: impulse responses to draw from (``merit.data.noise.reverberation.response_files``); every utterance is
            convolved with one. None leaves the speech dry.

    Returns:
        The mixed directories, in the order of ``snrs``.

    Raises:
        MeritError: with every problem that is found before anything is mixed or, once all others are mixed, every
            utterance that cannot be. A mixed directory is only written whole.
    """
    if not snrs or nj < 1:
        raise MeritError("no SNR is given in --snrs" if not snrs else f"--nj {nj}: expected at least one process")
    if problems := problems_in(data):
        raise MeritError(f"{data} cannot be mixed; mend its tables or make it again:\n" + first_of(problems))
    wav = read_table(data / "wav.scp")
    stamps = {utterance: entry_stamp(entry) for utterance, entry in wav.items()}
    settings = {"noise": noise, "files": _contents(files), "seed": seed}
    if rooms:
        settings["rirs"] = _contents(rooms)
    conditions = {}
    for snr in (float(snr) + 0.0 for snr in snrs):  # -0.0 becomes 0.0
        name = condition_name(data.resolve().name, noise, snr)
        conditions[snr] = Condition(output / name, audio / name, {**settings, "snr": snr}, {})
        conditions[snr].mixed = _read_record(conditions[snr], stamps)
    paths = [str(corpus / file.file) for file in files]
    babble = {str(corpus / file): entries for file, entries in made_of(corpus).items()}
    for condition in conditions.values():
        rows = condition.mixed.items()
        condition.mixed = {name: row for name, row in rows if wav[name] not in babble.get(row.noise, ())}
    jobs = [
        Job(
            utterance,
            entry,
            draw_noise(utterance, noise, paths, seed, [file for file, entries in babble.items() if entry in entries]),
            folders,
            draw_response(utterance, rooms, seed) if rooms else None,
        )
        for utterance, entry in wav.items()
        if (folders := {snr: at.folder for snr, at in conditions.items() if utterance not in at.mixed})
    ]
    if problems := [problem for job in jobs if (problem := _problem(job)) is not None]:
        raise MeritError(f"{data}: nothing is mixed; mend these or take them out of its tables:\n" + first_of(problems))
    if problems := _mix_all(jobs, stamps, conditions, nj) if jobs else []:
        raise MeritError(
            f"{data}: {len(problems)} problems, all else is mixed and kept; mend these or take the utterances out of "
            "its tables, and run the same command again:\n" + first_of(problems)
        )
    for snr, condition in conditions.items():
        _write_tables(data, wav, snr, condition)
    return [condition.directory for condition in conditions.values()]


def _contents(files: Sequence[NoiseFile]) -> str:
    return hashlib.blake2b("\n".join(file.content for file in files).encode(), digest_size=16).hexdigest()


def _read_record(condition: Condition, stamps: Mapping[str, str]) -> dict[str, Mixed]:
    """Read what is mixed already from the same speech, with the same settings, and still there."""
    if not condition.record.is_file():
        return {}
    header, *lines = condition.record.read_text(encoding="utf-8").splitlines() or [""]
    if header != json.dumps(condition.settings):
        logger.info("%s: was made with other noise or settings; mixing again", condition.folder)
        return {}
    mixed = {}
    for line in lines:
        try:
            row = Mixed(**json.loads(line))
        except (ValueError, TypeError):
            continue  # half a line, where a run was killed
        files = (condition.folder / signal / f"{row.utterance}.flac" for signal in SIGNALS)
        if stamps.get(row.utterance) == row.speech and all(file.is_file() for file in files):
            mixed[row.utterance] = row
    return mixed


def _problem(job: Job) -> str | None:
    """Find noise that there is none of, and what the header of an audio file shows: not audio, truncated, too short.

    Headers of arks and pipes are not looked at.
    """
    if not job.draws:
        return f"{job.utterance}: all noise files hold this utterance; make the babble of other speech (--babble-data)"
    if not Path(job.entry).is_file():
        return None
    try:
        samples = round(audio_duration(job.entry, job.utterance) * SAMPLE_RATE)
    except MeritError as error:
        return str(error)
    return too_short(job.utterance, job.entry, samples) if samples < MIN_SAMPLES else None


def _mix_all(jobs: list[Job], stamps: Mapping[str, str], conditions: Mapping[float, Condition], nj: int) -> list[str]:
    """Run the jobs, write down each result as it comes, and return the problems of those that cannot be mixed."""
    # One noise file after the other, so that a long recording is not read again for every utterance.
    jobs = sorted(jobs, key=lambda job: job.draws[0][0])
    problems: dict[str, None] = {}
    redrawn = 0
    with ExitStack() as stack:
        streams = {}
        for snr in {snr for job in jobs for snr in job.folders}:
            condition = conditions[snr]
            (condition.directory / "wav.scp").unlink(missing_ok=True)  # not whole until all is mixed again
            for left_behind in condition.folder.glob("*/.*.tmp.flac"):  # of a process that was killed
                left_behind.unlink()
            rows = [json.dumps(condition.settings) + "\n", *(row.line() for row in condition.mixed.values())]
            write_text(condition.record, "".join(rows))
            streams[snr] = stack.enter_context(condition.record.open("a", encoding="utf-8"))
        bar = stack.enter_context(progress(len(jobs), "mixing", "utt"))
        stack.enter_context(joblib.parallel_config(backend="loky", inner_max_num_threads=1))
        parallel = joblib.Parallel(n_jobs=nj, return_as="generator_unordered")
        for result in parallel(joblib.delayed(_mix)(job, stamps[job.utterance]) for job in jobs):
            bar.update()
            if isinstance(result, str):
                problems[result] = None
                continue
            for snr, row in result.items():
                conditions[snr].mixed[row.utterance] = row
                streams[snr].write(row.line())
                streams[snr].flush()
                if abs(row.measured - snr) > 0.1:
                    message = "%s: %g dB asked, %.2f dB measured, since 16 bits are too coarse for a signal so quiet"
                    logger.warning(message, row.utterance, snr, row.measured)
            redrawn += any(row.skipped for row in result.values())
    if redrawn:
        logger.info("%d utterances drew silent noise first and got another piece (skipped in mixing.jsonl)", redrawn)
    return list(problems)


def _mix(job: Job, stamp: str) -> dict[float, Mixed] | str:
    """Mix one utterance at all its SNRs; a problem with its speech or noise is returned, so that the others go on."""
    try:
        sources = read_sources(job)
    except MeritError as error:
        return str(error)
    mixed = {}
    for snr, folder in job.folders.items():
        mixture = mix(sources.speech, sources.noise, snr, sources.reverberant)
        measured = write_mixture(mixture, folder, job.utterance)
        mixed[snr] = Mixed(
            utterance=job.utterance,
            speech=stamp,
            noise=sources.file,
            offset=sources.offset,
            skipped=sources.skipped,
            gain=mixture.gain,
            measured=measured,
            samples=len(sources.speech),
            rir=job.room,
        )
    return mixed


def _write_tables(data: Path, wav: Mapping[str, str], snr: float, condition: Condition) -> None:
    """Write the mixed directory, unless it holds these very tables already (their time stamps then stay)."""
    rows = {utterance: condition.mixed[utterance] for utterance in wav}
    scps = {
        signal: {utterance: str(condition.folder / signal / f"{utterance}.flac") for utterance in wav}
        for signal in SIGNALS
    }
    tables = {file.name: read_table(file) for file in sorted(data.glob("utt2*"))} | {
        # Of the mixed samples, since the recipe's may be rounded, and frame counts follow from it.
        "utt2dur": {utterance: str(row.samples / SAMPLE_RATE) for utterance, row in rows.items()},
        "utt2snr": {utterance: f"{snr:g}" for utterance in rows},
        "utt2snr_measured": {utterance: f"{row.measured:.3f}" for utterance, row in rows.items()},
        "utt2noise": {utterance: f"{row.noise} {row.offset}" for utterance, row in rows.items()},
        "utt2gain": {utterance: f"{row.gain:.9g}" for utterance, row in rows.items()},
        "spk1.scp": scps["clean"],
        "noise1.scp": scps["noise"],
    }
    directory = condition.directory
    if "rirs" in condition.settings:
        tables["utt2rir"] = {utterance: row.rir for utterance, row in rows.items()}
    else:
        (directory / "utt2rir").unlink(missing_ok=True)  # of an earlier mixing
    present = {"wav.scp": scps["noisy"], **tables}
    if all((directory / name).is_file() and read_table(directory / name) == table for name, table in present.items()):
        logger.info("%s: complete", directory)
        return
    write_data_directory(directory, scps["noisy"], **tables)
    logger.info("%s: %d utterances", directory, len(rows))
