"""Audio that was decoded once and is kept in memory, as long as there is room for it.

What is kept stays: of a corpus that is larger than the room, drawing at random would find no more in a cache that makes
room for the newest. Whether something is kept changes how fast it is read and nothing else.
"""

from collections.abc import Callable

import numpy as np

from merit.data.audio import entry_stamp, read_audio

ROOM = 256 * 2**20
"""Bytes that a process keeps, 70 minutes of audio."""
LARGEST = ROOM // 8
"""Of them for one recording, 8 minutes; of a longer one no more is read than is needed."""


class KeptAudio:
    """Audio as float32 ``(S,)`` at 16 kHz that cannot be written to; that of a file that has changed is read again.

    Args:
        room: bytes.
    """

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self._kept: dict[str, np.ndarray] = {}

    def read(self, entry: str, key: str) -> np.ndarray:
        """An entry of ``wav.scp``.

        Args:
            entry: as for :func:`merit.data.audio.read_audio`.
            key: whose it is, for messages.

        Raises:
            MeritError: as ``read_audio``.
        """
        try:
            stamp = entry_stamp(entry)
        except FileNotFoundError:
            return read_audio(entry, key)  # which says so
        return self._kept[stamp] if stamp in self._kept else self._keep(stamp, read_audio(entry, key))

    def recording(self, file: str, samples: int, read: Callable[[], np.ndarray]) -> np.ndarray | None:
        """A recording of so many samples, from what is kept or by ``read``; None where it finds no room."""
        size = 4 * samples
        name = f"recording {entry_stamp(file)}"
        if name in self._kept:
            return self._kept[name]
        return self._keep(name, read()) if size <= min(self.room, LARGEST) else None

    def _keep(self, name: str, samples: np.ndarray) -> np.ndarray:
        samples.flags.writeable = False
        if samples.nbytes <= self.room:
            self.room -= samples.nbytes
            self._kept[name] = samples
        return samples


KEPT = KeptAudio()
"""Of this process; a worker of a data loader has its own."""
