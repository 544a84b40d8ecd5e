"""The ``merit`` command: a trained model on any audio file."""

import merit.interrupt  # noqa: F401  first, so that Ctrl-C during the other imports leaves no traceback

# isort: split
import csv
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jsonargparse import ArgumentParser

from merit import __version__
from merit.command import errors_as_exit_status
from merit.errors import MeritError, file_error

if TYPE_CHECKING:
    from merit.systems.sparse_merit.result import Piece

AUDIO_SUFFIXES = {".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".ogg", ".opus", ".w64", ".wav"}
"""What is taken out of a directory; a file given by name may have any suffix that libsndfile can read."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the console script ``merit``."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s: %(message)s")
    parser = ArgumentParser(
        prog="merit",
        description="Take the noise out of speech, recognise its emotion, judge its quality, write down or translate "
        "what is said, with a trained model.",
        version=__version__,
        allow_abbrev=False,
    )
    commands = parser.add_subcommands(metavar="COMMAND")
    for function in (enhance, emotion, mos, transcribe, translate):
        description = function.__doc__.split("\n\n")[0]
        command = ArgumentParser(description=description, allow_abbrev=False)
        command.add_argument("inputs", metavar="IN", nargs="+", type=Path, help="Audio files, or directories of them.")
        command.add_function_arguments(function, skip={"inputs"}, as_positional=False)
        commands.add_subcommand(function.__name__, command, help=description)
    chosen = parser.parse_args(arguments)
    with errors_as_exit_status():
        globals()[chosen.subcommand](**chosen[chosen.subcommand].as_dict())


def enhance(
    inputs: Sequence[Path],
    model: str,
    output: Path,
    format: Literal["wav", "flac"] = "wav",
    device: str = "auto",
) -> None:
    """Take the noise out of speech: for each input a file of the same length, at 16 kHz, mono, 16 bits.

    Args:
        inputs: audio files, or directories of them.
        model: directory of a trained model, as exp/sparse_merit-7, or its name on the hub, as RogerTzeng/Sparse-MERIT.
        output: directory of the enhanced files, which keep their names, and below a directory their sub-directories.
        format: of the enhanced files, wav or flac.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
    """
    targets = plan_outputs(inputs, output, format)
    from merit.systems.sparse_merit.inference import Merit
    from merit.time_grid import SAMPLE_RATE

    merit = Merit.from_pretrained(model, device)
    if not merit.enhances:
        raise MeritError(f"{model}: the model has no enhancement head; it can recognise emotions only")

    def enhance_one(source: Path) -> None:
        samples = 0
        for piece in with_progress(merit.enhance_file(source, targets[source]), source):
            samples = piece.stop
        print(f"{source} -> {targets[source]} ({samples / SAMPLE_RATE:.2f} s, 16 kHz mono)", flush=True)

    each_file(enhance_one, list(targets))


def emotion(inputs: Sequence[Path], model: str, device: str = "auto", pieces: bool = False) -> None:
    """Recognise emotions; prints a table: file, most probable emotion, probability of each, separated by tabs.

    Args:
        inputs: audio files, or directories of them.
        model: directory of a trained model, as exp/sparse_merit-7, or its name on the hub, as RogerTzeng/Sparse-MERIT.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        pieces: true prints a row, with start and end in seconds, for each piece of about 20 s instead of each file.
    """
    sources = [source for source, _ in audio_files(inputs)]
    from merit.systems.sparse_merit.inference import Merit
    from merit.systems.sparse_merit.result import mean_emotion
    from merit.time_grid import SAMPLE_RATE

    merit = Merit.from_pretrained(model, device)
    if merit.classes is None:
        raise MeritError(f"{model}: the model has no emotion head; it can enhance speech only")
    table = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    table.writerow(["file", *(["start", "end"] if pieces else []), "emotion", *merit.classes])

    def recognise_one(source: Path) -> None:
        found = list(with_progress(merit.recognise_file(source), source))
        if pieces:
            rows = [
                ([f"{piece.start / SAMPLE_RATE:.2f}", f"{piece.stop / SAMPLE_RATE:.2f}"], piece.result.emotion)
                for piece in found
            ]
        else:
            rows = [([], mean_emotion(found))]
        for times, probabilities in rows:
            values = [f"{probability:.4f}" for probability in probabilities.values()]
            table.writerow([source, *times, max(probabilities, key=probabilities.get), *values])
        sys.stdout.flush()

    each_file(recognise_one, sources)


def mos(
    inputs: Sequence[Path], model: str, ssl: str | None = None, device: str = "auto", batch_seconds: float = 60.0
) -> None:
    """Judge the quality of speech; prints a table: file, mean opinion score from 1 to 5, separated by a tab.

    Args:
        inputs: audio files, or directories of them.
        model: directory of a trained MoE-MOS model, as exp/moe_mos-7.
        ssl: where its frozen encoder lies; without it, where it was in training.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        batch_seconds: audio computed at once, padding included.
    """
    sources = [source for source, _ in audio_files(inputs)]
    from merit.systems.moe_mos.mos_inference import MoeMos

    judge = MoeMos.from_pretrained(model, ssl, device)
    table = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    table.writerow(["file", "mos"])
    failures = []
    for source, judgement in judge.judge_files(sources, batch_seconds):
        if isinstance(judgement, MeritError):
            failures.append(failure(source, judgement))
        else:
            table.writerow([source, f"{judgement.mos:.3f}"])
            sys.stdout.flush()
    report_failures(failures, len(sources))


def transcribe(
    inputs: Sequence[Path],
    model: str,
    bandwidth: Literal["auto", "wide", "narrow"] = "auto",
    device: str = "auto",
    batch_seconds: float = 60.0,
) -> None:
    """Write down what is said; prints a table: file, text, separated by a tab.

    Args:
        inputs: audio files, or directories of them; long ones are cut at their pauses.
        model: directory of a trained S-MoE model, as exp/encdec_smoe-7.
        bandwidth: of the files; auto finds it for each by the energy above 4 kHz.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        batch_seconds: audio computed at once, padding included.
    """
    _print_texts(inputs, model, "transcribe", None, bandwidth, device, batch_seconds)


def translate(
    inputs: Sequence[Path],
    model: str,
    to: str,
    bandwidth: Literal["auto", "wide", "narrow"] = "auto",
    device: str = "auto",
    batch_seconds: float = 60.0,
) -> None:
    """Translate what is said; prints a table: file, text, separated by a tab.

    Args:
        inputs: audio files, or directories of them; long ones are cut at their pauses.
        model: directory of a trained S-MoE model, as exp/encdec_smoe-7.
        to: language to translate into, as fr.
        bandwidth: of the files; auto finds it for each by the energy above 4 kHz.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        batch_seconds: audio computed at once, padding included.
    """
    _print_texts(inputs, model, "translate", to, bandwidth, device, batch_seconds)


def _print_texts(
    inputs: Sequence[Path],
    model: str,
    task: str,
    language: str | None,
    bandwidth: str,
    device: str,
    batch_seconds: float,
) -> None:
    sources = [source for source, _ in audio_files(inputs)]
    from merit.systems.smoe.smoe_inference import Smoe

    smoe = Smoe.from_pretrained(model, device)
    if language is not None:
        smoe.require_language(language)
    table = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    table.writerow(["file", "text"])
    failures = []
    for source, text in smoe.files(sources, task, None if bandwidth == "auto" else bandwidth, batch_seconds):
        if isinstance(text, MeritError):
            failures.append(failure(source, text))
        else:
            table.writerow([source, text])
            sys.stdout.flush()
    report_failures(failures, len(sources))


def audio_files(inputs: Sequence[Path], output: Path | None = None) -> list[tuple[Path, Path]]:
    """The files meant by files and directories, each with its path inside the directory, or its name.

    Args:
        inputs: files and directories.
        output: where results go; what lies there is not taken when it is inside a directory of ``inputs``.

    Raises:
        MeritError: when a directory holds no audio.
    """
    found = []
    for given in inputs:
        if not given.is_dir():
            found.append((given, Path(given.name)))
            continue
        files = [file for file in sorted(given.rglob("*")) if file.suffix.lower() in AUDIO_SUFFIXES]
        if output is not None and output.resolve() != given.resolve():
            files = [file for file in files if not file.resolve().is_relative_to(output.resolve())]
        if not files:
            suffixes = " ".join(sorted(AUDIO_SUFFIXES))
            raise MeritError(f"{given}: no audio in this directory; expected files ending in one of {suffixes}")
        found += [(file, file.relative_to(given)) for file in files]
    return found


def plan_outputs(inputs: Sequence[Path], output: Path, format: str) -> dict[Path, Path]:
    """For each input file the file that is to be written.

    Raises:
        MeritError: when one would overwrite an input, or two are the same.
    """
    sources = audio_files(inputs, output)
    given = {_place(source) for source, _ in sources}
    taken: dict[str, Path] = {}
    for source, name in sources:
        target = output / name.with_suffix(f".{format}")
        if _place(target) in given:
            raise MeritError(f"{target}: is an input and would be overwritten; choose another --output directory")
        if _place(target) in taken:
            raise MeritError(
                f"{target}: would hold the results of two inputs, {taken[_place(target)]} and {source}; "
                "enhance them into two directories"
            )
        taken[_place(target)] = source
    return {source: output / name.with_suffix(f".{format}") for source, name in sources}


def _place(path: Path) -> str:
    # Regardless of case, as file systems of macOS and Windows see it.
    return str(path.resolve()).casefold()


def with_progress(pieces: Iterable["Piece"], source: Path) -> Iterator["Piece"]:
    """The same pieces, and a bar over the seconds of the file while they come."""
    from merit.data.audio_stream import file_duration
    from merit.progress import progress
    from merit.time_grid import SAMPLE_RATE

    with progress(file_duration(source), source.name, " audio-s", leave=False) as bar:
        for piece in pieces:
            bar.update(piece.stop / SAMPLE_RATE - bar.n)
            yield piece


def each_file(function: Callable[[Path], None], sources: Sequence[Path]) -> None:
    """Call ``function`` with every file; those that fail do not keep it from the others.

    Raises:
        MeritError: at the end, when some failed; lists them.
    """
    failures = []
    for source in sources:
        try:
            function(source)
        except (MeritError, OSError) as error:
            failures.append(failure(source, error))
    report_failures(failures, len(sources))


def failure(source: Path, error: MeritError | OSError) -> str:
    """What became of a file, with its name."""
    message = str(error) if isinstance(error, MeritError) else file_error(error)
    return message if str(source) in message else f"{source}: {message}"


def report_failures(failures: Sequence[str], files: int) -> None:
    """Say which of so many files failed.

    Raises:
        MeritError: when some did; lists them.
    """
    if files == 1 and failures:
        raise MeritError(failures[0])
    if failures:
        counted = f"{len(failures)} of {files} files failed, the others are done:"
        summary = f"all {files} files failed:" if len(failures) == files else counted
        raise MeritError("\n".join([summary, *(f"  {line}" for line in failures)]))
