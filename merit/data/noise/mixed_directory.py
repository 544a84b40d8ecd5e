"""Mixing whole data directories: ``<set>`` and noise become ``<set>_<noise>_<snr>dB`` for every SNR, resumably."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from merit.data.audio import MIN_SAMPLES, audio_duration, entry_stamp
from merit.data.datadir import first_of, problems_in, read_table
from merit.data.noise.babble import made_of
from merit.data.noise.mixed_condition import Condition, Mixed, mix_all
from merit.data.noise.mixed_names import condition_name
from merit.data.noise.mixing import Job, draw_noise, mix, read_sources, too_short, write_mixture
from merit.data.noise.recordings import NoiseFile
from merit.data.noise.reverberation import draw_response
from merit.errors import MeritError
from merit.time_grid import SAMPLE_RATE


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
        conditions[snr].read_record(stamps)
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
    # One noise file after the other, so that a long recording is not read again for every utterance.
    jobs = sorted(jobs, key=lambda job: job.draws[0][0])
    unfinished = {snr: conditions[snr] for snr in {snr for job in jobs for snr in job.folders}}
    work = [(job, stamps[job.utterance]) for job in jobs]
    if problems := mix_all(work, _mix, unfinished, nj) if jobs else []:
        raise MeritError(
            f"{data}: {len(problems)} problems, all else is mixed and kept; mend these or take the utterances out of "
            "its tables, and run the same command again:\n" + first_of(problems)
        )
    for condition in conditions.values():
        condition.write_tables(data, wav)
    return [condition.directory for condition in conditions.values()]


def _contents(files: Sequence[NoiseFile]) -> str:
    return hashlib.blake2b("\n".join(file.content for file in files).encode(), digest_size=16).hexdigest()


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


def _mix(work: tuple[Job, str]) -> dict[float, Mixed] | str:
    """Mix one utterance, whose speech has this stamp, at all its SNRs; a problem with it is returned."""
    job, stamp = work
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
