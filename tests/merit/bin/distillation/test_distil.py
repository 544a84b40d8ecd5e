"""A student is trained by a file of its own and one of the training."""

import csv

from merit.nets.ssl import load_encoder


def test_a_run_and_its_encoder(distilled, command, tmp_path):
    with (distilled / "history.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 2 and all(float(row["dev_loss"]) > 0 for row in rows)
    result = command("export_student", "--run", str(distilled), "--output", str(tmp_path / "encoder"))
    assert result.returncode == 0, result.stderr
    encoder = load_encoder(tmp_path / "encoder")
    assert (encoder.num_states, encoder.hidden_size) == (3, 16)


def test_a_layer_that_is_not_there_is_one_line(command, tmp_path):
    student = ["--student.encoder", "{model_type: whisper}", "--student.layers", "{9: 1}"]
    result = command(
        "distil",
        "--train",
        "[a,b]",
        "--train_states",
        "[c]",
        "--dev",
        "[a]",
        "--dev_states",
        "[c]",
        *student,
        "--output",
        str(tmp_path),
    )
    assert result.returncode == 1 and result.stderr.strip().splitlines()[-1].startswith("error: 2 data directories")
