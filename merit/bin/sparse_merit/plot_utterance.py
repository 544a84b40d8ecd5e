"""Draw one utterance: noisy, enhanced and clean spectrograms, and the routing of both tasks."""

from pathlib import Path

from merit.command import run_command


def plot_utterance(model: Path, data: Path, utterance: str, output: Path, device: str = "auto") -> None:
    """Enhance one utterance of a mixed data directory and draw what went in, what came out and who worked on it.

    Args:
        model: directory of the trained model.
        data: mixed data directory with wav.scp and spk1.scp.
        utterance: its name in wav.scp.
        output: the figure; its suffix chooses the format (png, pdf, svg).
        device: auto (the first GPU, else the CPU), cpu, cuda, ...
    """
    from merit.data.audio import read_audio
    from merit.data.datadir import read_table, require_stored
    from merit.errors import MeritError
    from merit.systems.sparse_merit.decoding import decode_batch
    from merit.systems.sparse_merit.figures.spectrogram_figure import draw_utterance
    from merit.systems.sparse_merit.inference import Merit

    require_stored(data)
    entries = {name: read_table(data / table) for name, table in (("noisy", "wav.scp"), ("clean", "spk1.scp"))}
    for name, table in entries.items():
        if utterance not in table:
            raise MeritError(f"{data}: no {name} utterance {utterance}; there is {next(iter(table))}, for one")
    merit = Merit.from_pretrained(model, device)
    if not merit.enhances:
        raise MeritError(f"{model}: the model has no enhancement head, so there is no enhanced speech to draw")
    noisy, clean = (read_audio(table[utterance], utterance) for table in entries.values())
    result = decode_batch(merit, {utterance: noisy}, entries["noisy"])[utterance]
    signals = {"noisy": noisy, "enhanced": result.enhanced, "clean": clean}
    draw_utterance(signals, result.routing, output, title=f"{data.name}, {utterance}")


if __name__ == "__main__":
    run_command(plot_utterance)
