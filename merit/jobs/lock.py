"""Only one command at a time makes a step or writes a directory.

A lock is a small file with the host and the process that hold it, which touch it every few seconds. One that was left
behind by a process that is gone is known on the same host by the process and the time it began, and on any other, over
NFS too, by nobody touching it any more.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import LeaseCompromise, SoftFileLease, Timeout

from merit.errors import MeritError

logger = logging.getLogger(__name__)

LEASE_SECONDS = 120.0
"""A lock that nobody has touched for so long is left behind. Every process that asks for one must say the same."""
HEARTBEAT_SECONDS = 5.0
SHORT_SECONDS = 0.2
"""Long enough for two looks: the first one takes a lock away that was left behind, the second one finds it free."""
PATIENCE_SECONDS = 15.0
"""A command that was told to stop still holds its lock while it tidies up."""


@contextmanager
def hold(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file ``path`` while the block runs; wait until another process has let it go, and say so.

    Args:
        path: the lock; its directory is made.
        what: the step it stands for, for people.
    """
    lease = _lease(path)
    if not _acquired(lease, SHORT_SECONDS):
        print(f"{what}: {holder(lease)} is at it; waiting until it has finished", file=sys.stderr, flush=True)
        lease.acquire(poll_interval=1.0)
    try:
        yield
    finally:
        lease.release()


@contextmanager
def sole_writer(*directories: Path) -> Iterator[None]:
    """Keep other commands from writing directories while the block runs; of a distributed command, the first process.

    Raises:
        MeritError: when another process writes there and goes on to do so.
    """
    with ExitStack() as stack:
        if os.environ.get("RANK", "0") == "0":
            for directory in dict.fromkeys(directories):
                stack.enter_context(_sole_writer(directory))
        yield


@contextmanager
def _sole_writer(directory: Path) -> Iterator[None]:
    path = directory / ".lock"
    lease = _lease(path)
    began, touched = time.monotonic(), _touched(path)
    if not _acquired(lease, SHORT_SECONDS):
        logger.warning("%s: %s is writing here; waiting for it to stop", directory, holder(lease))
        while not _acquired(lease, 1.0):
            # A process that is gone touches its lock no more, and the lock becomes free, or is taken away, by itself.
            if time.monotonic() - began > PATIENCE_SECONDS and _touched(path) not in (None, touched):
                raise MeritError(
                    f"{directory}: {holder(lease)} is writing here; wait until it has finished, or stop it, or choose "
                    "another output directory"
                )
    try:
        yield
    finally:
        lease.release()


def holder(lease: SoftFileLease) -> str:
    """Who holds a lock, for people."""
    owner = lease.owner
    return "another process" if owner is None else f"process {owner.pid} on {owner.hostname.partition('?')[0]}"


def _lease(path: Path) -> SoftFileLease:
    path.parent.mkdir(parents=True, exist_ok=True)
    return SoftFileLease(
        path, lease_duration=LEASE_SECONDS, heartbeat_interval=HEARTBEAT_SECONDS, on_compromise=_stop_here
    )


def _acquired(lease: SoftFileLease, seconds: float) -> bool:
    try:
        lease.acquire(timeout=seconds, poll_interval=SHORT_SECONDS / 2)
    except Timeout:
        return False
    return True


def _touched(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return None


def _stop_here(lost: LeaseCompromise) -> None:
    """Called when a process was held up so long that another one took its lock: two must not write the same files."""
    logger.error("%s: this lock was taken by another process or removed; stopping", lost.lock_file)
    os.kill(os.getpid(), signal.SIGINT)
