"""Tables of what happens when labels are wrong, and of how experts and gates were trained."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from merit.csv_table import read_csv
from merit.report.table import Cell, Column, Table
from merit.systems.smoe.decoding_speed import COLUMNS
from merit.systems.smoe.expert_updates import uneven
from merit.systems.smoe.learned_routing import told_apart
from merit.systems.smoe.results.smoe_experiment import GIVEN, MethodRuns, folder_of
from merit.systems.smoe.results.text_scores import LABELS, LOWER_IS_BETTER, TestSet, scores_of, task_scores

WAYS = {
    "given": "as labelled",
    "other_bandwidth": "the other bandwidth's experts",
    "other_expert": "the other task's experts, tags unchanged",
    "other_tag": "the other task's tags and experts",
}
SHARES = (0.0, 0.1, 0.3, 0.5, 1.0)
SHOWN = ("wer", "bleu")


def _columns(tests: Sequence[TestSet]) -> list[Column]:
    return [
        Column(name, LABELS[name], test.name, f"{test.name} ({test.bandwidth})", 1, True, name in LOWER_IS_BETTER)
        for test in tests
        for name in _shown(test)
    ]


def _shown(test: TestSet) -> list[str]:
    return [name for task, name in zip(("transcribe", "translate"), SHOWN) if task in test.references]


def wrong_expert_table(tests: Sequence[TestSet], methods: Sequence[MethodRuns]) -> Table | None:
    """Scores of each method in each way of going against its labels; None where nothing was probed."""
    rows = []
    for method in methods:
        probes = method.probes()
        for way in ["given", *probes[0]["ways"]] if probes else []:
            cells = []
            for test in tests:
                found = [scores_of(test, run / folder_of(way)) for run in method.runs]
                cells += [Cell(sum(scores[name] for scores in found) / len(found)) for name in _shown(test)]
            rows.append((Cell(method.name, method.title), Cell(way, WAYS[way]), *cells))
    if not rows:
        return None
    columns = (Column("method", "Method"), Column("way", "Decoded by"), *_columns(tests))
    notes = (
        "WER is against the transcript, BLEU against the translation, whatever was asked for. The tags alone turn the "
        "output of any model, the base included, into the other language: what the experts know shows where the tags "
        "are right and the experts are those of the other task.",
    )
    return Table("wrong_experts", "Wrong experts and wrong tags", columns, tuple(rows), 2, 1, "set", notes)


def label_noise_table(tests: Sequence[TestSet], method: MethodRuns) -> Table | None:
    """Scores of one method when a share of the labels of the test is wrong, or bandwidths are found from the audio.

    Utterances are decoded apart from each other, so those with a wrong label have the text of the other way.
    """
    probes = method.probes()
    if not probes:
        return None
    rows = []
    for label, way in (("bandwidth", "other_bandwidth"), ("task", "other_tag")):
        if way not in probes[0]["ways"]:
            continue
        for share in SHARES:
            wrong = {test.name: {key for key in test.keys if _drawn(label, key) < share} for test in tests}
            cells = _mixed_scores(tests, method, way, wrong)
            rows.append((Cell(label), Cell(share, f"{100 * share:.0f} %"), *cells))
        if label == "bandwidth":
            wrong = {test.name: _misjudged(test, probes[0]["detected"][test.name]) for test in tests}
            count = sum(map(len, wrong.values())) / sum(len(test.keys) for test in tests)
            cells = _mixed_scores(tests, method, way, wrong)
            rows.append((Cell("bandwidth, from the audio"), Cell(count, f"{100 * count:.1f} %"), *cells))
    if not rows:
        return None
    columns = (Column("label", "Label"), Column("share", "Wrong"), *_columns(tests))
    note = (
        f"{method.title}. A wrong bandwidth leads to the other experts of the encoder, a wrong task to the other tags "
        "and experts of the decoder. From the audio: wide or narrow by the energy above 4 kHz, without metadata."
    )
    return Table("label_noise", "Wrong labels in the test", columns, tuple(rows), 2, 1, "set", (note,))


def _drawn(label: str, key: str) -> float:
    return random.Random(f"{label}/{key}").random()


def _misjudged(test: TestSet, detected: Mapping[str, str]) -> set[str]:
    labels = dict(line.split() for line in (test.directory / "utt2bw").read_text().splitlines())
    return {key for key in test.keys if labels[key] != detected[key]}


def _mixed_scores(tests: Sequence[TestSet], method: MethodRuns, way: str, wrong: Mapping[str, set[str]]) -> list[Cell]:
    """Scores, seeds averaged, where the utterances ``wrong`` are decoded in another way."""
    cells = []
    for test in tests:
        for task, name in zip(test.references, _shown(test)):
            values = []
            for run in method.runs:
                right = test.hypotheses(run / GIVEN, task)
                other = test.hypotheses(run / folder_of(way), task)
                texts = [o if key in wrong[test.name] else r for key, r, o in zip(test.keys, right, other)]
                values.append(task_scores(task, test.references[task], texts)[name])
            cells.append(Cell(sum(values) / len(values)))
    return cells


def updates_table(methods: Sequence[MethodRuns], seeds: Sequence[int]) -> Table | None:
    """Updates of each expert and how far they have moved it; uneven ones are flagged. None where nobody has experts."""
    rows, warnings = [], []
    for method in methods:
        for seed, probe in zip(seeds, method.probes()):
            warnings += [f"Warning: {method.title}, seed {seed}: {line}." for line in uneven(probe["updates"])]
            for row in probe["updates"]:
                heading = (Cell(method.name, method.title), Cell(str(seed)), Cell(row["side"]), Cell(row["expert"]))
                rows.append((*heading, Cell(round(row["updates"])), Cell(row["distance"])))
    if not rows:
        return None
    columns = [Column("method", "Method"), Column("seed", "Seed"), Column("side", "Side"), Column("expert", "Expert")]
    columns += [Column("updates", "Updates"), Column("distance", "Distance", digits=4)]
    note = (
        "Encoder: 0 wide, 1 narrow. Decoder: 0 transcription, 1 translation (in a learned model, numbers alone). "
        "Updates as Adam counts them; distance of the weights from where they began, root mean square. Factors beyond "
        "1.5 are flagged."
    )
    return Table("updates", "Training of the experts", tuple(columns), tuple(rows), 4, 1, notes=(note, *warnings))


def learned_routing_table(methods: Sequence[MethodRuns], seeds: Sequence[int]) -> Table | None:
    """How often each gate chooses its first expert, by bandwidth and task; None where nobody has gates."""
    rows = []
    for method in methods:
        for seed, probe in zip(seeds, method.probes()):
            found = probe.get("routing", [])
            for layer in dict.fromkeys(row["layer"] for row in found):
                cells = []
                for label in ("bandwidth", "task"):
                    values = list(dict.fromkeys(row[label] for row in found))
                    means = [_mean_shares([r for r in found if r["layer"] == layer and r[label] == v]) for v in values]
                    shown = " / ".join(f"{100 * shares[0]:.0f}" for shares in means)
                    cells += [Cell(shown), Cell(100 * told_apart(means) if len(means) > 1 else None)]
                rows.append((Cell(method.name, method.title), Cell(str(seed)), Cell(layer), *cells))
    if not rows:
        return None
    columns = [Column("method", "Method"), Column("seed", "Seed"), Column("layer", "Block")]
    columns += [Column("bandwidth", "wide / narrow"), Column("bandwidth_told", "bandwidth told", digits=1)]
    columns += [Column("task", "transcription / translation"), Column("task_told", "task told", digits=1)]
    note = (
        "Percent of the frames (decoder: tokens) of a label that go to the first expert. Told: percent of them that "
        "are right when each expert stands for the label that it has more of, labels counted alike; 50 is a gate that "
        "does not see the label, 100 is given routing."
    )
    return Table("learned_routing", "What the gates learnt", tuple(columns), tuple(rows), 3, 1, notes=(note,))


def _mean_shares(rows: Sequence[Mapping]) -> list[float]:
    return [sum(shares) / len(rows) for shares in zip(*(row["shares"] for row in rows))]


def speed_table(path: Path) -> Table:
    """Time by the number of experts, from the table of :mod:`merit.systems.smoe.decoding_speed`."""
    rows = []
    for _, row in read_csv(path, COLUMNS, "measure it first (stage 7)"):
        counts = [Cell(int(row[name]), f"{int(row[name]) / 1e6:.2f} M") for name in ("parameters", "active")]
        times = [Cell(float(row[name])) for name in COLUMNS[3:]]
        rows.append((Cell(int(row["experts"])), *counts, *times))
    labels = ("Experts", "Parameters", "Active", "Time (ms)", "Lowest", "Highest")
    columns = tuple(Column(name, label, digits=1) for name, label in zip(COLUMNS, labels))
    note = (
        "Median over turns, from the features of 4 s to a text of 20 tokens, beam 5, one utterance at a time; the "
        "models have random weights and take turns. The paper: constant, since one expert computes."
    )
    return Table("speed", "Time by the number of experts", columns, tuple(rows), notes=(note,))
