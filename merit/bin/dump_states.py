"""Dump hidden states: ``python -m merit.bin.dump_states --data data/train_babble_5dB --ssl DIR --output DIR ...``."""

from pathlib import Path

from merit.command import run_command
from merit.data.state_shards import StateType
from merit.device import Precision


def dump_states(
    data: Path,
    ssl: str,
    output: Path,
    statistics: Path,
    dtype: StateType = "bfloat16",
    batch_seconds: float = 120.0,
    precision: Precision = "auto",
) -> None:
    """Write the hidden states of all layers of an encoder for every utterance of a data directory.

    The disk it takes is estimated, printed and compared with what is free before anything is written. A dump that was
    stopped goes on where it was; one that is complete is left alone; states of another encoder, normalisation or audio
    are never mixed in.

    Args:
        data: data directory.
        ssl: encoder: transformers directory, hub name, or an original WavLM .pt file.
        output: directory of the states.
        statistics: waveform_stats.json that normalises the waveforms; for dev and test data too, the training set's.
        dtype: 16-bit type to store.
        batch_seconds: seconds of audio computed at once; more is faster on a GPU and takes more memory.
        precision: of the computation; auto is bfloat16 where that is fast.
    """
    from merit.data.statistics import WaveformStatistics
    from merit.training.dump import dump_states as dump

    dump(data, ssl, output, WaveformStatistics.load(statistics), dtype, batch_seconds, precision)


if __name__ == "__main__":
    run_command(dump_states)
