"""Audio that was decoded once and is kept in memory, as long as there is room for it.

What is kept stays: of a corpus that is larger than the room, drawing at random would find no more in a cache that makes
room for the newest. Whether something is kept changes how fast it is read and nothing else.
"""

import numpy as np

from merit.data.audio import entry_stamp, read_audio

ROOM = 256 * 2**20
"""Bytes that a process keeps, 70 minutes of audio."""


class KeptAudio:
    """Entries of ``wav.scp``, read as 16 kHz mono.

    Args:
        room: bytes.
    """

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self._kept: dict[str, np.ndarray] = {}

    def read(self, entry: str, key: str) -> np.ndarray:
        """Samples, float32 ``(S,)`` that cannot be written to; those of a file that has changed are read again.

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
        if stamp not in self._kept:
            samples = read_audio(entry, key)
            samples.flags.writeable = False
            if samples.nbytes > self.room:
                return samples
            self.room -= samples.nbytes
            self._kept[stamp] = samples
        return self._kept[stamp]


KEPT = KeptAudio()
"""Of this process; a worker of a data loader has its own."""
