"""Make a model directory of the authors' released Sparse MERIT; see merit/systems/sparse_merit/authors/conversion.py.

python tools/convert_author_checkpoint.py --checkpoint RogerTzeng/Sparse-MERIT --output exp/sparse_merit_authors
"""

from pathlib import Path

from merit.command import run_command


def convert(checkpoint: str, output: Path, mean: float | None = None, std: float | None = None) -> None:
    """Write config.json and model.safetensors, as `merit enhance`, `merit emotion` and a recipe's stage 6 take them.

    Args:
        checkpoint: directory of final_{ssl,mmoe,pool,ser,se}.pt and train_norm_stat.pkl, or its name on the hub.
        output: the model directory.
        mean: of the waveforms the model was trained on, in place of train_norm_stat.pkl.
        std: their standard deviation.
    """
    from merit.data.statistics import WaveformStatistics
    from merit.errors import MeritError
    from merit.systems.sparse_merit.authors.conversion import convert_release
    from merit.systems.sparse_merit.hub import fetch

    if (mean is None) != (std is None) or (std is not None and std <= 0):
        raise MeritError(f"--mean {mean} --std {std}: expected both, the second above 0, or none")
    statistics = None if std is None else WaveformStatistics(mean=mean, std=std, samples=0)
    source, origin = Path(checkpoint), None
    if not source.exists():
        source, commit = fetch(checkpoint, with_statistics=statistics is None)
        origin = f"{checkpoint}@{commit}"
    convert_release(source, output, statistics, origin)
    print(f"{checkpoint} -> {output}")


if __name__ == "__main__":
    run_command(convert)
