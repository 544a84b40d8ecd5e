"""Measurements become a table."""

from merit.systems.distillation.encoder_comparison import Measured


def test_a_table_with_its_command(command, tmp_path):
    options = {}
    for name, score in (("teacher", 0.6), ("small", 0.55)):
        Measured(name, 10**6, 3, 16, {"float32": 50.0}, {"dev_city_0dB": score}).save(tmp_path / f"{name}.json")
        (tmp_path / name).mkdir()
        (tmp_path / name / "history.csv").write_text("epoch,dev_enhancement\n1,0.25\n")
        options[name] = (f"{name}={tmp_path / name}.json", f"{name}={tmp_path / name}")
    measured, heads = ("[" + ",".join(values) + "]" for values in zip(*options.values()))
    result = command(
        "compare_encoders",
        "--measured",
        measured,
        "--heads",
        heads,
        "--noise",
        "city",
        "--output",
        str(tmp_path / "RESULTS.md"),
        "--command",
        "./run.sh --seed 7",
    )
    assert result.returncode == 0, result.stderr
    text = (tmp_path / "RESULTS.md").read_text()
    assert "Command: `./run.sh --seed 7`" in text and "## Environment" in text
    row = next(line for line in text.splitlines() if line.startswith("| small"))
    assert "0.050" in row and "0.2500" in row
