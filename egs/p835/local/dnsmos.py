"""DNSMOS P.835 of all clips, from the package speechmos (pip install speechmos onnxruntime librosa), as predictions.

    PYTHON local/dnsmos.py DATA SCALE        PYTHON is one that has speechmos; merit itself is not needed

writes DATA/baselines/dnsmos.csv for the clips of DATA/all, on the scale ovrl, sig or bak.
"""

import csv
import os
import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import librosa
from speechmos import dnsmos


def main(data: Path, scale: str) -> None:
    """Predict every clip; of each scale DNSMOS's own polynomial fit is taken, as speechmos has it."""
    clips = defaultdict(list)
    with open(data / "all" / "ratings.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            clips[row["wav_path"], row["system_id"], row["sample_id"]].append(float(row["score"]))
    lines = [("wav_path", "system_id", "sample_id", "avg_score", "answer")]
    for (path, system, sample), scores in clips.items():
        samples, rate = librosa.load(path, sr=16000)
        answer = dnsmos.run(samples.clip(-1, 1), sr=rate)[f"{scale}_mos"]
        lines.append((path, system, sample, f"{fmean(scores):.6g}", f"{answer:.6f}"))
    output = data / "baselines" / "dnsmos.csv"
    temporary = output.with_name(f".{output.stem}.{os.getpid()}.tmp.csv")
    with open(temporary, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    os.replace(temporary, output)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in ("ovrl", "sig", "bak"):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2])
