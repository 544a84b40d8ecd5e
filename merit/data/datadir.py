"""Kaldi data directories: ``wav.scp utt2spk spk2utt utt2emo utt2dur`` and further tables, read, written and checked.

A table holds one ``key value`` line for each key, sorted in C order (``LC_ALL=C sort``) and unique. Tables named
``*.scp``, ``utt2*`` or ``text.*`` have the utterances of ``wav.scp`` as keys; ``spk2utt`` has speakers. ``text.fr`` is
what was said, or means, in French; ``utt2bw`` says whether an utterance is ``wide`` or ``narrow``.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from merit.data.audio import audio_duration, entry_file, read_audio
from merit.errors import MeritError
from merit.files import write_text

REQUIRED_TABLES = ("wav.scp", "utt2spk", "spk2utt")
BANDWIDTHS = ("wide", "narrow")
"""Of an utterance: up to 8 kHz, or up to the 4 kHz of a telephone. A model that counts them does so by their place."""
MIXING = "mixing.json"
"""In a directory of clean speech that training mixes with noise while it reads it (``merit.data.noise.online``)."""


def is_mixed_online(directory: Path) -> bool:
    """Whether what is to be heard of a data directory is mixed while it is read."""
    return (directory / MIXING).is_file()


def require_stored(*directories: Path) -> None:
    """Refuse data directories whose mixtures exist while they are read alone.

    Raises:
        MeritError: naming the first one.
    """
    for directory in filter(is_mixed_online, directories):
        raise MeritError(
            f"{directory}: mixed anew in every epoch ({MIXING}), so that its tables hold the clean speech; this is for "
            "--train of the training commands alone. Give stored speech, as data/dev_drawn or data/train"
        )


def read_table(path: Path | str) -> dict[str, str]:
    """Read a table as ``{key: value}`` in the order of the file.

    Raises:
        MeritError: when the file is missing, empty or not UTF-8, or a line has no value, a duplicate key, a key out of
            order or a key that cannot name a file. The message shows the first of these lines.
    """
    table, problems = _scan_table(Path(path))
    if problems:
        raise MeritError(first_of(problems))
    return table


def read_durations(directory: Path, wav: Mapping[str, str]) -> dict[str, float]:
    """Seconds of each utterance of ``wav``: from ``utt2dur`` or, where a directory has none, from the audio.

    Raises:
        MeritError: when ``utt2dur`` lacks an utterance or holds something other than a positive number for it.
    """
    path = directory / "utt2dur"
    if not path.is_file():
        return {utterance: audio_duration(entry, utterance) for utterance, entry in wav.items()}
    table = read_table(path)
    for utterance in wav:
        if not _is_positive_number(table.get(utterance, "")):
            found = f"{table[utterance]!r}" if utterance in table else "no line"
            raise MeritError(f"{path}: {found} for utterance {utterance}; expected its duration in seconds")
    return {utterance: float(table[utterance]) for utterance in wav}


def read_bandwidths(directory: Path, utterances: Iterable[str]) -> dict[str, str]:
    """``wide`` or ``narrow`` for each of the utterances, as ``utt2bw`` says.

    Raises:
        MeritError: when the table is missing or broken, lacks an utterance or says something else of it.
    """
    path = directory / "utt2bw"
    table = read_table(path)
    found = {utterance: table.get(utterance) for utterance in utterances}
    for utterance, bandwidth in found.items():
        if bandwidth not in BANDWIDTHS:
            shown = "no line" if bandwidth is None else repr(bandwidth)
            raise MeritError(f"{path}: {shown} for utterance {utterance}; expected {' or '.join(BANDWIDTHS)}")
    return found


def write_table(path: Path | str, table: Mapping[str, object]) -> None:
    """Write ``{key: value}`` as sorted ``key value`` lines in one step."""
    write_text(path, "".join(f"{key} {table[key]}\n" for key in sorted(table)))


def write_data_directory(
    path: Path,
    wav: Mapping[str, object],
    utt2spk: Mapping[str, str],
    utt2emo: Mapping[str, str] | None = None,
    utt2dur: Mapping[str, object] | None = None,
    **other_tables: Mapping[str, object],
) -> None:
    """Write a data directory, ``spk2utt`` included; ``wav.scp`` comes last, so its presence means a whole directory.

    Args:
        path: the directory.
        wav: utterance -> file, ``ark:offset`` or ``command |``.
        utt2spk: utterance -> speaker.
        utt2emo: utterance -> emotion label.
        utt2dur: utterance -> duration in seconds.
        other_tables: file name -> table over the same utterances, such as ``**{"spk1.scp": references}``.

    Raises:
        MeritError: when there is no utterance or the tables do not have the same utterances.
    """
    tables: dict[str, Mapping[str, object]] = {"utt2spk": utt2spk, **other_tables}
    tables |= {name: table for name, table in (("utt2emo", utt2emo), ("utt2dur", utt2dur)) if table is not None}
    problems = [problem for name, table in tables.items() for problem in _key_differences(path, name, table, wav)]
    if not wav:
        problems.append(f"{path}: no utterance is left to write")
    if problems:
        raise MeritError(first_of(problems))
    for name, table in tables.items():
        write_table(path / name, table)
    write_table(path / "spk2utt", {speaker: " ".join(utts) for speaker, utts in speakers_of(utt2spk).items()})
    write_table(path / "wav.scp", wav)


def speakers_of(utt2spk: Mapping[str, str]) -> dict[str, list[str]]:
    """Turn utterance -> speaker into speaker -> sorted utterances."""
    speakers: dict[str, list[str]] = {}
    for utterance in sorted(utt2spk):
        speakers.setdefault(utt2spk[utterance], []).append(utterance)
    return speakers


def problems_in(
    path: Path, classes: Collection[str] | None = None, audio: bool = False, pipes: bool = True
) -> list[str]:
    """Check a data directory and return its problems, one line each with the offending line; none when it is valid.

    Args:
        path: the directory.
        classes: the emotion labels that ``utt2emo``, which must then be there, may hold; None accepts every label.
        audio: decode every audio entry too, instead of only looking whether its file is there.
        pipes: accept entries that are commands; False does not run them either.
    """
    if not path.is_dir():
        return [f"{path}: there is no such directory; run the recipe's data preparation (stage 1) first"]
    if is_mixed_online(path):
        return [f"{path}: mixed anew in every epoch ({MIXING}); give the data directory that it was made of"]
    names = [
        file.name for file in path.iterdir() if file.name.endswith(".scp") or file.name.startswith(("utt2", "text."))
    ]
    tables: dict[str, dict[str, str]] = {}
    problems: list[str] = []
    for name in sorted({*names, *REQUIRED_TABLES}):
        tables[name], found = _scan_table(path / name)
        problems += found
    for name in sorted(names):
        problems += _key_differences(path, name, tables[name], tables["wav.scp"])
    problems += _speaker_differences(path, tables["utt2spk"], tables["spk2utt"])
    if classes is not None and "utt2emo" not in tables:
        known = " ".join(classes)
        problems.append(f"{path}/utt2emo: the file is missing; expected a label for each utterance, of {known}")
    if classes is not None:
        problems += [
            f"{path}/utt2emo: unknown label: {utterance} {label} (known: {' '.join(classes)})"
            for utterance, label in tables.get("utt2emo", {}).items()
            if label not in classes
        ]
    problems += [
        f"{path}/utt2dur: not a positive number of seconds: {utterance} {duration}"
        for utterance, duration in tables.get("utt2dur", {}).items()
        if not _is_positive_number(duration)
    ]
    problems += [
        f"{path}/utt2bw: expected {' or '.join(BANDWIDTHS)}: {utterance} {bandwidth}"
        for utterance, bandwidth in tables.get("utt2bw", {}).items()
        if bandwidth not in BANDWIDTHS
    ]
    for name in (name for name in tables if name.endswith(".scp")):
        problems += _audio_problems(path / name, tables[name], audio, pipes)
    return problems


def summary(path: Path) -> str:
    """Describe a valid data directory: ``N utterances, S speakers, H hours``; hours from ``utt2dur`` or the audio."""
    wav, spk2utt = read_table(path / "wav.scp"), read_table(path / "spk2utt")
    if (path / "utt2dur").is_file():
        seconds = sum(map(float, read_table(path / "utt2dur").values()))
    else:
        seconds = sum(audio_duration(entry, key) for key, entry in wav.items())
    return f"{len(wav)} utterances, {len(spk2utt)} speakers, {seconds / 3600:.2f} hours"


def first_of(problems: list[str], limit: int = 20) -> str:
    """Join the first ``limit`` problems, one a line, with a count of the rest."""
    rest = [f"... and {len(problems) - limit} more"] if len(problems) > limit else []
    return "\n".join([*problems[:limit], *rest])


def _scan_table(path: Path) -> tuple[dict[str, str], list[str]]:
    """Read what can be read of a table and list what is wrong with it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}, [f"{path}: the file is missing"]
    except UnicodeDecodeError as error:
        return {}, [f"{path}: not UTF-8 text ({error})"]
    table: dict[str, str] = {}
    problems = [] if lines else [f"{path}: the file is empty"]
    previous = ""
    for number, line in enumerate(lines, start=1):
        fields = line.split(maxsplit=1)
        if len(fields) < 2:
            problems.append(f"{path}:{number}: expected 'key value': {line!r}")
            continue
        key, value = fields
        if key in table:
            problems.append(f"{path}:{number}: duplicate key: {line}")
            continue
        if key < previous:
            problems.append(f"{path}:{number}: not sorted, {key} after {previous}; sort with LC_ALL=C sort: {line}")
        if "/" in key:
            problems.append(f"{path}:{number}: a key names files and cannot hold '/': {line}")
        table[key] = value.strip()
        previous = key
    return table, problems


def _key_differences(path: Path, name: str, table: Mapping[str, object], wav: Mapping[str, object]) -> Iterable[str]:
    for key in sorted(table.keys() - wav.keys()):
        yield f"{path}/{name}: utterance is not in wav.scp: {key} {table[key]}"
    for key in sorted(wav.keys() - table.keys()):
        yield f"{path}/{name}: utterance of wav.scp is missing: {key}"


def _speaker_differences(path: Path, utt2spk: Mapping[str, str], spk2utt: Mapping[str, str]) -> list[str]:
    expected = {speaker: " ".join(utterances) for speaker, utterances in speakers_of(utt2spk).items()}
    return [
        f"{path}/spk2utt: does not agree with utt2spk: {speaker} {spk2utt.get(speaker, '(missing)')[:200]}"
        for speaker in sorted(expected.keys() | spk2utt.keys())
        if sorted(spk2utt.get(speaker, "").split()) != expected.get(speaker, "").split()
    ]


def _is_positive_number(text: str) -> bool:
    try:
        return 0.0 < float(text) < float("inf")
    except ValueError:
        return False


def _audio_problems(path: Path, table: Mapping[str, str], decode: bool, pipes: bool) -> Iterable[str]:
    for key, entry in table.items():
        file = entry_file(entry)
        if file is None and not pipes:
            yield f"{path}: a command, which --no-pipes refuses: {key} {entry}"
        elif file is not None and not file.is_file():
            yield f"{path}: the file is missing: {key} {entry}"
        elif decode:
            try:
                read_audio(entry, key)
            except MeritError as error:
                yield f"{path}: {error}"
