"""RESULTS.md of one trained model: environment, command, encoder, method, and the tables of both tasks."""

import math
from collections.abc import Sequence
from pathlib import Path

from merit.data.noise.mixed_names import NoiseCondition
from merit.errors import MeritError, brief
from merit.metrics.enhancement.measures import DIGITS, MEASURES
from merit.report.environment import environment_section
from merit.report.markdown import markdown_table
from merit.systems.sparse_merit.results.run_files import CONFIG, EMOTION_TABLE, ENHANCEMENT_TABLE, read_config
from merit.systems.sparse_merit.results.score_tables import (
    COMPOSITE_NOTES,
    EmotionRow,
    EnhancementRow,
    emotion_rows,
    enhancement_rows,
)
from merit.systems.sparse_merit.tables.provenance import encoder_name


def results_page(model: Path, scores: Path, noisy: Path | None, command: str, seen: Sequence[str]) -> str:
    """The whole RESULTS.md.

    Args:
        model: directory of the trained model.
        scores: its score folder.
        noisy: score folder of the noisy input.
        command: the command that made the model.
        seen: names of the noises of the training data.

    Raises:
        MeritError: when ``scores`` holds no scores.
    """
    tables = score_tables(scores, noisy, seen)
    sections = [f"# Results of {model.resolve().name}", environment_section(), _model_section(model, command), tables]
    return "\n\n".join(sections) + "\n"


def score_tables(scores: Path, noisy: Path | None, seen: Sequence[str]) -> str:
    """The sections with the tables of emotion recognition and speech enhancement.

    Raises:
        MeritError: when ``scores`` holds no scores.
    """
    emotion, enhanced = emotion_rows(scores, seen), enhancement_rows(scores, seen)
    baseline = enhancement_rows(noisy, seen) if noisy else []
    if not emotion and not enhanced:
        raise MeritError(
            f"{scores}: no condition with {EMOTION_TABLE} or {ENHANCEMENT_TABLE}; "
            "run merit.bin.sparse_merit.score first"
        )
    sections = []
    if emotion:
        sections += ["## Speech emotion recognition", emotion_table(emotion, seen)]
    if enhanced:
        scored = {row.condition for row in enhanced}
        baseline = [row for row in baseline if row.condition in scored]
        sections += ["## Speech enhancement", enhancement_table(enhanced, baseline, seen)]
        sections += [_enhancement_notes([*enhanced, *baseline])]
    if seen:
        sections.append(f"\\* noise of the training data: {', '.join(seen)}.")
    return "\n\n".join(sections)


def emotion_table(rows: Sequence[EmotionRow], seen: Sequence[str]) -> str:
    """One row a condition: F1-macro, F1-micro (which is the accuracy), UAR, number of utterances."""
    header = ("Noise", "SNR (dB)", "F1-macro", "F1-micro", "UAR", "n")
    cells = [
        (*_place(row.condition, seen), *_numbers(row.scores.f1_macro, row.scores.f1_micro, row.scores.uar, digits=3))
        + (row.scores.utterances,)
        for row in rows
    ]
    return markdown_table(header, cells)


def enhancement_table(rows: Sequence[EnhancementRow], baseline: Sequence[EnhancementRow], seen: Sequence[str]) -> str:
    """Two rows a condition, noisy input and enhanced: means of the six measures, n, number of undefined scores."""
    noisy = {row.condition: row for row in baseline}
    cells = []
    for enhanced in rows:
        for name, row in (("Noisy", noisy.get(enhanced.condition)), ("Enhanced", enhanced)):
            if row is not None:
                means = [_numbers(row.means[measure], digits=DIGITS[measure])[0] for measure in MEASURES]
                cells.append((*_place(row.condition, seen), name, *means, row.utterances, _failures(row)))
    return markdown_table(("Noise", "SNR (dB)", "", *MEASURES, "n", "undefined"), cells)


def _place(condition: NoiseCondition, seen: Sequence[str]) -> tuple[str, str]:
    if condition.snr is None:
        return condition.name, "-"
    return condition.noise + (" \\*" if condition.noise in seen else ""), f"{condition.snr:g}"


def _numbers(*values: float, digits: int) -> tuple[str, ...]:
    return tuple("-" if math.isnan(value) else f"{value:.{digits}f}" for value in values)


def _failures(row: EnhancementRow) -> str:
    return ", ".join(f"{count} {measure}" for measure, count in row.failures.items() if count) or "0"


def _enhancement_notes(rows: Sequence[EnhancementRow]) -> str:
    variants = {row.composite for row in rows}
    if len(variants) > 1:
        raise MeritError(f"scores with different composite variants ({variants}) in one report; score again with one")
    return (
        "Means over utterances; PESQ is wide band (P.862.2), SSNR in dB. "
        + COMPOSITE_NOTES[variants.pop()]
        + " Undefined scores (digital silence, no speech found, too short) are left out of the mean and counted."
    )


def _model_section(model: Path, command: str) -> str:
    lines = ["## Model", "", f"- command: `{command}`" if command else "- command: not given"]
    description = read_config(model)["description"]
    try:
        method = ", ".join(f"{name} {value}" for name, value in description["model"].items())
        lines += [f"- encoder: {encoder_name(description)}"]
        lines += [f"- method: {method}", f"- classes: {', '.join(description['classes'])}"]
    except (KeyError, TypeError, AttributeError) as error:
        problem = f"not the configuration of a trained model ({brief(error)})"
        raise MeritError(f"{model / CONFIG}: {problem}; train it again") from error
    return "\n".join(lines)
