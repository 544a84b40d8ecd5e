"""utils/show_result.sh and utils/validate_data_dir.sh."""

import subprocess
from pathlib import Path

import soundfile

UTILS = Path(__file__).resolve().parents[2] / "utils"

RESULTS = """# Results of sparse_merit-7

## Environment
- date: today

## Scores

Means over the test set.

| Noise | F1 |
|---|---|
| babble | 0.7 |

- a note
"""


def call(name: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run([UTILS / name, *arguments], cwd=cwd, capture_output=True, text=True)


def test_show_result_prints_the_tables_of_every_experiment(tmp_path: Path) -> None:
    for name in ("exp/b-7", "exp/a-7"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "RESULTS.md").write_text(RESULTS)
    table = "## Scores\n\n| Noise | F1 |\n|---|---|\n| babble | 0.7 |\n\n"
    assert call("show_result.sh", cwd=tmp_path).stdout == (
        f"exp/a-7/RESULTS.md\n\n{table}exp/b-7/RESULTS.md\n\n{table}"
    )
    assert call("show_result.sh", "exp/b-7", cwd=tmp_path).stdout == f"exp/b-7/RESULTS.md\n\n{table}"


def test_show_result_says_when_there_is_nothing(tmp_path: Path) -> None:
    result = call("show_result.sh", str(tmp_path), cwd=tmp_path)
    assert result.returncode == 1 and f"found no RESULTS.md under {tmp_path}" in result.stderr


def test_validate_data_dir_shows_the_offending_lines(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", [0.0] * 16000, 16000)
    for name, speaker in (("good", "s1"), ("bad", "")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "wav.scp").write_text(f"u1 {tmp_path}/a.wav\n")
        (folder / "utt2spk").write_text(f"u1 {speaker}\n")
        (folder / "spk2utt").write_text("s1 u1\n")
    assert call("validate_data_dir.sh", "good", cwd=tmp_path).returncode == 0
    result = call("validate_data_dir.sh", "good", "bad", cwd=tmp_path)
    assert result.returncode == 1
    assert "good: valid data directory" in result.stdout and "bad/utt2spk:1" in result.stdout
    assert call("validate_data_dir.sh", cwd=tmp_path).returncode == 2
