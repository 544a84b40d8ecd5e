"""Random crops."""

from merit.data.crops import crop_window
from merit.time_grid import FRAME_SAMPLES


def test_crop_is_a_function_of_its_arguments():
    windows = {crop_window("utt", epoch, 7, 200, 64_480, 64)[0].start for epoch in range(40)}
    assert len(windows) > 20 and min(windows) >= 0 and max(windows) <= 136
    assert crop_window("utt", 3, 7, 200, 64_480, 64) == crop_window("utt", 3, 7, 200, 64_480, 64)


def test_crop_takes_the_samples_of_its_frames():
    frames, samples = crop_window("utt", 0, 7, 200, 64_480, 64)
    assert frames.stop - frames.start == 64
    assert (samples.start, samples.stop) == (frames.start * FRAME_SAMPLES, frames.stop * FRAME_SAMPLES)


def test_short_utterance_is_not_cropped():
    assert crop_window("utt", 0, 7, 50, 16_400, 64) == (slice(0, 50), slice(0, 16_400))
