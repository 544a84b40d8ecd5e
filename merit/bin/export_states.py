"""Export dumped states to Kaldi: ``python -m merit.bin.export_states --states dump/states/... --output DIR``."""

from pathlib import Path

from merit.command import run_command


def export_states(states: Path, output: Path) -> None:
    """Write a dump of hidden states as ``states.ark`` and ``states.scp`` for Kaldi and ESPnet.

    Every utterance becomes a float32 matrix (frames, states x channels), the states side by side from H_0 on. It takes
    twice the disk of the dump.

    Args:
        states: directory written by dump_states.
        output: directory for states.ark and states.scp; the scp is written last.
    """
    from merit.data.audio import kaldiio
    from merit.data.states.disk_space import require_disk_space
    from merit.data.states.shard_reader import ShardReader
    from merit.files import atomic_path
    from merit.progress import progress

    reader = ShardReader(states, {"content": "states"})
    frames = sum(reader.frames(key) for key in reader.keys)
    require_disk_space(output, frames * reader.header["num_states"] * reader.header["hidden_size"] * 4)
    with (
        progress(len(reader.keys), "states", "utt") as bar,
        atomic_path(output / "states.scp") as scp,
        kaldiio.WriteHelper(f"ark,scp:{output / 'states.ark'},{scp}") as writer,
    ):
        for key in reader.keys:
            writer[key] = reader.read(key).flatten(1).float().numpy()
            bar.update()


if __name__ == "__main__":
    run_command(export_states)
