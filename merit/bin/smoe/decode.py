"""Decode data directories: ``python -m merit.bin.smoe.decode --model exp/encdec_smoe-7 --data [data/test] ...``."""

from pathlib import Path
from typing import Literal

from merit.command import run_command
from merit.precision import Precision

Task = Literal["transcribe", "translate"]
Way = Literal["given", "other_bandwidth", "other_expert", "other_tag"]


def decode(
    model: Path,
    data: list[Path],
    output: Path,
    tasks: list[Task] = ["transcribe", "translate"],
    ways: list[Way] = ["given"],
    beam: int = 5,
    length_power: float = 1.0,
    batch_seconds: float = 100.0,
    device: str = "auto",
    precision: Precision = "auto",
) -> None:
    """Write <output>/<way>/<set>/<task>.csv, the text of each utterance, and <task>.json with time and memory.

    Args:
        model: directory of the trained model.
        data: data directories with wav.scp and utt2bw.
        output: folder of what is written.
        tasks: those to decode.
        ways: "given" decodes by the labels; "other_bandwidth" by the encoder's experts of the other bandwidth;
            "other_expert" by the decoder's experts of the other task, with the right tags; "other_tag" by the tags and
            experts of the other task.
        beam: hypotheses at a time.
        length_power: a text scores its log-probability divided by its tokens to this power.
        batch_seconds: padded audio computed at once.
        device: auto (the first GPU, else the CPU), cpu, cuda, cuda:1, ...
        precision: auto is that of the training.
    """
    from merit.jobs.lock import sole_writer
    from merit.systems.smoe.beam_search import BeamOptions
    from merit.systems.smoe.speech_decoding import Recogniser, decode_directory

    with sole_writer(output):
        recogniser = Recogniser.load(model, device, precision, BeamOptions(beam, length_power))
        for way in ways:
            for directory in data:
                for task in tasks:
                    decode_directory(recogniser, directory, task, output / way / directory.name, batch_seconds, way)


if __name__ == "__main__":
    run_command(decode)
