"""What a result was made with: versions, machine, git commit."""

import os
import platform
import subprocess
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("torch", "torchaudio", "transformers", "accelerate", "numpy", "pesq", "pystoi", "scikit-learn")
PACKAGES += ("sentencepiece", "jiwer", "sacrebleu")


def describe_environment() -> dict[str, str]:
    """Name -> value of date, Python, packages, machine and the package's git commit, in this order."""
    return {
        "date": datetime.now().astimezone().isoformat(sep=" ", timespec="minutes"),
        "python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "git": git_commit(Path(__file__).parent),
    }


def environment_section() -> str:
    """The environment as a section of Markdown."""
    return "\n".join(["## Environment", "", *(f"- {name}: {value}" for name, value in describe_environment().items())])


def git_commit(directory: Path) -> str:
    """Commit of the checkout around ``directory`` and whether files under version control differ from it."""
    commit = _git(directory, "log", "-1", "--format=%h %cs")
    if commit is None:
        return "no commit (not a git checkout)"
    return f"{commit}, with uncommitted changes" if _git(directory, "status", "--porcelain", "-uno") else commit


def _git(directory: Path, *arguments: str) -> str | None:
    try:
        result = subprocess.run(["git", "-C", str(directory), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    import torch  # seconds to import, and only needed for the name of the GPU

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    names = Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
    model = next((line.split(":", 1)[1].strip() for line in names.splitlines() if line.startswith("model name")), None)
    return f"CPU, {os.cpu_count()} cores, {model or platform.processor() or platform.machine()}"
