"""The command that writes the RESULTS.md of a model."""

from made_experiment import CLASSES, write_emotions, write_enhancement, write_run

from merit.bin.sparse_merit.report import report


def test_the_page_of_a_model_has_its_scores_and_those_of_the_noisy_input(tmp_path):
    run = write_run(tmp_path / "exp", "sparse_merit", 7)
    labels = dict(zip("abcd", CLASSES))
    write_emotions(run, "test_babble_5dB", labels, labels)
    write_enhancement(run / "score", "test_babble_5dB", labels, 2.0)
    write_enhancement(tmp_path / "noisy", "test_babble_5dB", labels, 1.0)
    page = tmp_path / "RESULTS.md"
    report(str(run), str(run / "score"), str(page), str(tmp_path / "noisy"), "./run.sh --seeds 7", ["babble"])
    text = page.read_text()
    for part in ("# Results of sparse_merit-7", "`./run.sh --seeds 7`", "Noisy", "Enhanced", "babble \\*", "1.000"):
        assert part in text
    report(str(run), str(run / "score"), str(page))
    assert "Noisy" not in page.read_text() and "command: not given" in page.read_text()
