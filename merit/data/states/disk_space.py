"""Whether what is to be dumped has room on the disk."""

import logging
import shutil
from pathlib import Path

from merit.errors import MeritError

logger = logging.getLogger(__name__)


def require_disk_space(directory: Path, needed: int) -> None:
    """Make ``directory``, and refuse to start writing ``needed`` bytes under it when so many are not free.

    Raises:
        MeritError: with both numbers.
    """
    directory.mkdir(parents=True, exist_ok=True)
    free = still_free(directory, needed)
    logger.info("%s: %.3f GB to write, %.1f GB free", directory, needed / 1e9, free / 1e9)


def still_free(directory: Path, needed: int) -> int:
    """Free bytes under ``directory``, which are at least ``needed``.

    Raises:
        MeritError: when they are not, with both numbers.
    """
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise MeritError(
            f"{directory}: {needed / 1e9:.3f} GB are needed and {free / 1e9:.3f} GB are free. Free some space, choose "
            "another disk, or train with --feats features, which stores little, or --feats online, which stores nothing"
        )
    return free
