"""Starting processes that work for this one."""

import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def quiet_processes() -> Iterator[None]:
    """Processes started inside compute on one thread each and leave Ctrl-C to this one.

    Numerical libraries read the number of threads when they are imported. Ctrl-C reaches all processes of a terminal's
    job; the mask that blocks it is inherited, and this process gets a Ctrl-C of the meantime at the end.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    limits = dict.fromkeys(names, "1")
    before = {name: os.environ.get(name) for name in limits}
    os.environ.update(limits)
    resource_tracker.ensure_running()  # starting it, as the first process does, would let Ctrl-C through again
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def end_with_parent() -> None:
    """End this process when the one that started it was killed; it would wait for jobs forever."""

    def watch() -> None:
        multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
