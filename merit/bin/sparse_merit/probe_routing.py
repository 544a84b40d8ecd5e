"""Score a model when its tasks are given other experts than their own gates chose."""

from pathlib import Path

from merit.command import run_command
from merit.device import Precision


def probe_routing(
    model: Path,
    data: list[Path],
    output: Path,
    batch_seconds: float = 60.0,
    device: str = "auto",
    precision: Precision = "auto",
) -> None:
    """Write F1-macro, F1-micro and mean segmental SNR with each task's own gate, the other's, and every fixed expert.

    Conditions that were probed before with this model, precision and type of device are not computed again.

    Args:
        model: directory of the trained model.
        data: mixed data directories, as data/test_babble_5dB.
        output: the table, as exp/sparse_merit-7/routing_probe.csv.
        batch_seconds: audio computed at once, padding included; that of the decoding gives the same numbers.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        precision: auto is that of the training; another one is warned of.
    """
    from merit.systems.sparse_merit.probe import routing_probe

    routing_probe.probe_routing(model, data, output, batch_seconds, device, precision)


if __name__ == "__main__":
    run_command(probe_routing)
