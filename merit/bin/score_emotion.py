"""Score recognised emotions."""

from pathlib import Path

from merit.command import run_command
from merit.data.datadir import read_table
from merit.metrics.label_table import compare_labels
from merit.report.markdown import markdown_table


def score_emotion(
    reference: Path, hypothesis: Path, output: Path | None = None, classes: list[str] | None = None
) -> None:
    """Print F1-macro, F1-micro, UAR, accuracy and the confusion matrix of recognised emotions.

    Args:
        reference: table of utterances and labels (utt2emo).
        hypothesis: table of the same utterances and the recognised labels.
        output: file for one row an utterance (utt,reference,hypothesis,correct).
        classes: labels that may occur, in the order of the confusion matrix; by default those of the reference.
    """
    table = compare_labels(read_table(reference), read_table(hypothesis), str(hypothesis), classes)
    scores = table.scores()
    print(f"utterances  {scores.utterances}")
    print(f"F1-macro    {scores.f1_macro:.4f}")
    print(f"F1-micro    {scores.f1_micro:.4f}  (the same as the accuracy, as every utterance has one label)")
    print(f"UAR         {scores.uar:.4f}")
    print(f"accuracy    {scores.accuracy:.4f}\n")
    print("Confusion matrix, one row a reference label:")
    rows = [(name, *map(int, counts)) for name, counts in zip(scores.classes, scores.confusion, strict=True)]
    print(markdown_table(("", *scores.classes), rows))
    if output:
        table.write(output)


if __name__ == "__main__":
    run_command(score_emotion)
