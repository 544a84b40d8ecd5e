"""Dump hidden states: ``python -m merit.bin.dump_states --data data/train_babble_5dB --ssl DIR --output DIR ...``."""

from pathlib import Path

from merit.command import run_command
from merit.data.states.state_shards import Content, StateType
from merit.device import Precision


def dump_states(
    data: Path,
    ssl: str,
    output: Path,
    statistics: Path,
    dtype: StateType = "bfloat16",
    batch_seconds: float = 120.0,
    precision: Precision = "auto",
    content: Content = "states",
    nj: int = 1,
) -> None:
    """Write the hidden states of all layers of an encoder, or its features, for every utterance of a data directory.

    Features are what its frozen convolutional front end gives the transformer: of WavLM Large a fiftieth of the states'
    disk. Training runs the transformer over them.

    The disk it takes is estimated, printed and compared with what is free before anything is written. A dump that was
    stopped goes on where it was, also with another --nj; one that is complete is left alone; what comes of another
    encoder, normalisation or audio is never mixed in.

    Args:
        data: data directory.
        ssl: encoder: transformers directory, hub name, or an original WavLM .pt file.
        output: directory of the dump.
        statistics: waveform_stats.json that normalises the waveforms; for dev and test data too, the training set's.
        dtype: 16-bit type to store; what is computed in float32 is rounded to it.
        batch_seconds: seconds of audio computed at once; more is faster on a GPU and takes more memory.
        precision: of the computation; auto is bfloat16 where that is fast.
        content: states or features.
        nj: processes, each on a GPU of its own where there are several; each holds the encoder and up to 2 GB of what
            is to be written in memory.
    """
    from merit.data.statistics import WaveformStatistics
    from merit.dumping.dump import dump_states as dump
    from merit.lock import sole_writer

    normalisation = WaveformStatistics.load(statistics)
    with sole_writer(output):
        dump(data, ssl, output, normalisation, dtype, batch_seconds, precision, content=content, nj=nj)


if __name__ == "__main__":
    run_command(dump_states)
