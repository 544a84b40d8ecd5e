"""Measure a frozen encoder: ``python -m merit.bin.distillation.probe_encoder --ssl DIR --train DIR ...``."""

from pathlib import Path

from merit.command import run_command


def probe_encoder(ssl: str, train: Path, conditions: list[Path], output: Path) -> None:
    """Write size, speed on one core, and how well a linear classifier tells emotions from the states.

    Args:
        ssl: encoder: transformers directory, hub name, or one that comes with the package.
        train: data directory with emotions that the classifier is fitted to; its statistics normalise all audio.
        conditions: data directories that it is tried on.
        output: JSON file.
    """
    from merit.data.statistics import waveform_statistics
    from merit.nets.ssl import load_encoder
    from merit.systems.distillation.encoder_comparison import Measured
    from merit.systems.distillation.probe import linear_probe, pool_states
    from merit.systems.distillation.speed import states_per_second

    encoder = load_encoder(ssl)
    speed = {precision: states_per_second(encoder, precision) for precision in ("float32", "bfloat16")}
    statistics = waveform_statistics(train)
    scores = linear_probe(
        pool_states(encoder, train, statistics),
        {directory.name: pool_states(encoder, directory, statistics) for directory in conditions},
    )
    parameters = sum(value.numel() for value in encoder.model.parameters())
    Measured(ssl, parameters, encoder.num_states, encoder.hidden_size, speed, scores).save(output)
    print(f"{ssl}: " + ", ".join(f"{name} {score:.3f}" for name, score in scores.items()))


if __name__ == "__main__":
    run_command(probe_encoder)
