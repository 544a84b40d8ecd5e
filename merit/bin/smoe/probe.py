"""Probe the experts of a model: ``python -m merit.bin.smoe.probe --model exp/encdec_smoe-7 --data [data/test] ...``."""

from pathlib import Path

from merit.command import run_command
from merit.precision import Precision


def probe(
    model: Path,
    data: list[Path],
    output: Path,
    beam: int = 5,
    length_power: float = 1.0,
    batch_seconds: float = 100.0,
    device: str = "auto",
    precision: Precision = "auto",
) -> None:
    """Decode by the experts and tags of other labels, find bandwidths from the audio, count updates of the experts.

    Args:
        model: directory of the trained model.
        data: data directories of the test.
        output: folder of <way>/<set>/<task>.csv and probe.json.
        beam: hypotheses at a time.
        length_power: a text scores its log-probability divided by its tokens to this power.
        batch_seconds: padded audio computed at once.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        precision: auto is that of the training.
    """
    from merit.jobs.lock import sole_writer
    from merit.systems.smoe.beam_search import BeamOptions
    from merit.systems.smoe.expert_probe import probe_model
    from merit.systems.smoe.speech_decoding import Recogniser

    with sole_writer(output):
        recogniser = Recogniser.load(model, device, precision, BeamOptions(beam, length_power))
        probe_model(recogniser, model, data, output, batch_seconds)


if __name__ == "__main__":
    run_command(probe)
