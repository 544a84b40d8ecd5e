import pytest

from merit.errors import MeritError
from merit.metrics.label_table import compare_labels, read_label_table

REFERENCE = {"u1": "anger", "u2": "joy", "u3": "joy"}


def test_rows_survive_writing_and_reading(tmp_path):
    classes, posteriors = ("joy", "anger"), {"u1": [0.25, 0.75], "u2": [0.5, 0.5], "u3": [1.0, 0.0]}
    hypothesis = {"u1": "anger", "u2": "anger", "u3": "joy"}
    compare_labels(REFERENCE, hypothesis, "utt2emo", classes, posteriors).write(tmp_path / "emotion.csv")
    lines = (tmp_path / "emotion.csv").read_text().splitlines()
    assert lines[:2] == ["utt,reference,hypothesis,correct,joy,anger", "u1,anger,anger,1,0.250000,0.750000"]
    assert lines[2].startswith("u2,joy,anger,0,")
    table = read_label_table(tmp_path / "emotion.csv")
    assert (table.reference, table.hypothesis, table.classes) == (REFERENCE, hypothesis, ("joy", "anger"))
    assert table.posteriors == posteriors
    assert table.scores().accuracy == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("hypothesis", "message"),
    [
        ({"u1": "anger", "u2": "joy"}, "1 utterances of the reference are missing, as u3"),
        ({**REFERENCE, "u4": "joy"}, "no reference label, as u4"),
        ({**REFERENCE, "u2": "Joy"}, "hyp: u2: unknown hypothesis label 'Joy'; known are anger joy"),
    ],
)
def test_what_does_not_fit_is_named(hypothesis, message):
    with pytest.raises(MeritError, match=message):
        compare_labels(REFERENCE, hypothesis, "hyp")


def test_a_reference_label_the_model_does_not_know_is_named():
    with pytest.raises(MeritError, match="u1: unknown reference label 'anger'"):
        compare_labels(REFERENCE, REFERENCE, "hyp", classes=("joy", "sadness"))


def test_a_foreign_table_is_refused(tmp_path):
    (tmp_path / "emotion.csv").write_text("a,b\n")
    with pytest.raises(MeritError, match="expected the columns"):
        read_label_table(tmp_path / "emotion.csv")
