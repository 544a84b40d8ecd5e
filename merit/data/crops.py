"""Random crops of utterances, in encoder frames and samples alike."""

import random

from merit.time_grid import FRAME_SAMPLES


def crop_window(
    key: str, epoch: int, seed: int, frames: int, samples: int, crop_frames: int | None
) -> tuple[slice, slice]:
    """Encoder frames and waveform samples of one random crop; all of a shorter utterance, or without ``crop_frames``.

    The start is a function of the arguments alone, so neither resuming nor dumping the states changes it.
    """
    if crop_frames is None or frames <= crop_frames:
        return slice(0, frames), slice(0, samples)
    start = random.Random(f"{seed}/{epoch}/{key}").randint(0, frames - crop_frames)
    stop = start + crop_frames
    return slice(start, stop), slice(start * FRAME_SAMPLES, min(samples, stop * FRAME_SAMPLES))
