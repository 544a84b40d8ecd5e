"""Trained models by name: a local directory, or a repository of the Hugging Face hub.

A repository holds a model directory of ours, or the authors' release, which is converted once. What is downloaded lies
in the cache of ``huggingface_hub`` (under ``HF_HOME``, by default ~/.cache/huggingface), what is converted in
``assets/merit`` there; remove it to fetch the release anew.
"""

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import RepositoryNotFoundError

from merit.errors import MeritError
from merit.files import why_not_written
from merit.systems.sparse_merit.authors.conversion import convert_release
from merit.systems.sparse_merit.authors.release import STATISTICS, WEIGHTS, locate_release
from merit.systems.sparse_merit.description import read_description

MODEL_FILES = ("config.json", "model.safetensors")


def model_directory(name: Path | str) -> Path:
    """The model directory on this machine that ``name`` means.

    Args:
        name: a directory such as ``exp/sparse_merit-7``, or a repository of the hub such as
            ``RogerTzeng/Sparse-MERIT``, with ``/FOLDER`` behind it where the model lies in a folder of it.

    Raises:
        MeritError: when there is no such directory or repository, it holds no model, or it cannot be fetched.
    """
    path = Path(name)
    name = path.as_posix() if isinstance(name, Path) else name
    if path.exists():
        if not (path / MODEL_FILES[0]).exists() and any((path / file).exists() for file in WEIGHTS):
            raise MeritError(
                f"{path}: holds files of the authors' release; make a model directory of them with "
                f"tools/convert_author_checkpoint.py --checkpoint {path} --output DIR, and give DIR"
            )
        return path
    split_name(name)  # refuses what can be no repository
    converted = Path(constants.HF_ASSETS_CACHE) / "merit" / name.replace("/", "--")
    if (converted / MODEL_FILES[1]).exists():
        return converted
    source, commit = fetch(name)
    if all((source / file).exists() for file in MODEL_FILES):
        return source
    converted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=converted.parent, prefix=".") as temporary:
        convert_release(source, Path(temporary) / "model", name=f"{name}@{commit}")
        try:
            os.rename(Path(temporary) / "model", converted)
        except OSError:
            if not (converted / MODEL_FILES[1]).exists():  # else another process was faster
                raise
    return converted


def split_name(name: str) -> tuple[str, PurePosixPath]:
    """Repository and folder in it.

    Raises:
        MeritError: when it is no name of a repository, or begins with a local directory, in which it was not found.
    """
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*(/\w[\w.-]*)*", name) or Path(name.split("/")[0]).exists():
        raise MeritError(
            f"{name}: there is no such directory; expected that of a trained model, as exp/sparse_merit-7, or a name "
            "on the hub, as RogerTzeng/Sparse-MERIT"
        )
    owner, repository, *folder = name.split("/")
    return f"{owner}/{repository}", PurePosixPath(*folder)


def fetch(name: str, with_statistics: bool = True) -> tuple[Path, str]:
    """Download a model, or take it from the cache: its folder and the commit of the repository.

    Only the files of one model are downloaded: they are chosen from the repository's list first.

    Args:
        name: as for :func:`model_directory`.
        with_statistics: whether the authors' ``train_norm_stat.pkl`` must be among the files.

    Raises:
        MeritError: when the repository holds no model, or several, or cannot be reached.
    """
    repository, folder = split_name(name)
    our_files = [str(folder / file) for file in MODEL_FILES]
    author_files = [f"*{file}" for file in (*WEIGHTS, STATISTICS)]
    try:
        listed = snapshot_download(repository, allow_patterns=our_files + author_files, dry_run=True)
    except Exception as error:  # huggingface_hub's own errors, and httpx's, which its versions name differently
        try:
            cached = Path(snapshot_download(repository, allow_patterns=our_files, local_files_only=True))
        except OSError:
            raise _unreachable(name, error) from error
        if not all((cached / file).exists() for file in our_files):
            raise _unreachable(name, error) from error
        return cached / folder, cached.name
    paths = [PurePosixPath(file.filename) for file in listed]
    paths = [path.relative_to(folder) for path in paths if path.is_relative_to(folder)]
    if all(PurePosixPath(file) in paths for file in MODEL_FILES):
        snapshot = _download(name, repository, our_files[:1])
        read_description(snapshot / folder)  # before the weights of what may be another kind of model
        return _download(name, repository, our_files) / folder, snapshot.name
    wanted = locate_release(paths, name, with_statistics)
    snapshot = _download(name, repository, [str(folder / path) for path in wanted.values()])
    return snapshot / folder, snapshot.name


def _download(name: str, repository: str, files: Sequence[str]) -> Path:
    try:
        return Path(snapshot_download(repository, allow_patterns=list(files)))
    except Exception as error:
        raise _unreachable(name, error) from error


def _unreachable(name: str, error: Exception) -> Exception:
    if isinstance(error, OSError) and why_not_written(error.errno):
        return error
    cause = error.__cause__ or error
    reason = str(cause).strip().partition("\n")[0]
    if isinstance(cause, RepositoryNotFoundError):
        reason = "it has no such repository, or a private one"
    repository, _ = split_name(name)
    return MeritError(
        f"{name}: there is no such directory, and it cannot be fetched from the hub ({reason}). Check name and "
        f"network and run the same again; or, where there is a network, run `hf download {repository} --local-dir DIR` "
        "and copy DIR here. Give DIR as model; if it holds the authors' files, give it to "
        "tools/convert_author_checkpoint.py first"
    )
