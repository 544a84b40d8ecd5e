"""The command that looks at listeners."""

from merit.bin.analyze_listeners import analyze_listeners

RATINGS = "wav_path,system_id,sample_id,score,listener_id\n"
PREDICTIONS = "wav_path,system_id,sample_id,avg_score,answer\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_tables_of_listeners_panels_and_bias(tmp_path, capsys):
    lines = [f"{s}.wav,{s},1,{q + n},L{n}\n" for s, q in (("a", 1), ("b", 3)) for n in (0, 1)]
    write(tmp_path / "train/ratings.csv", RATINGS + "".join(lines))
    lines = [f"{s}.wav,{s},2,{q + n},M{n}\n" for s, q in (("a", 2), ("b", 4)) for n in (0, 1)]
    write(tmp_path / "test/ratings.csv", RATINGS + "".join(lines))
    predictions = write(tmp_path / "p.csv", PREDICTIONS + "a.wav,a,2,2.5,1.5\nb.wav,b,2,4.5,3.5\n")
    analyze_listeners(tmp_path / "train", tmp_path / "test", [predictions])
    text = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    assert ["train", "L1", "2", "3.000", "1.414", "1.000"] in rows
    assert ["Mean of test less train over them", "1.000"] in rows
    assert [str(predictions), "1.000", "1.000", "0.000"] in rows
    analyze_listeners(tmp_path / "train", tmp_path / "test", output=tmp_path / "listeners.md")
    assert "## The panels" in (tmp_path / "listeners.md").read_text() and "costs" not in text.split("## The panels")[0]
