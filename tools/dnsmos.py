"""DNSMOS P.835 of rated clips, from the package speechmos, as a table of predictions to compare with.

    PYTHON tools/dnsmos.py DATA SCALE OUTPUT

PYTHON is one with speechmos, onnxruntime and librosa in it (`pip install speechmos onnxruntime librosa` into an
environment of its own; MERIT does not need them, nor they MERIT). DATA is a data directory with ratings.csv, SCALE one
of ovrl, sig and bak, OUTPUT the table, as exp/dnsmos.csv, which the recipes of speech quality take with
--others "DNSMOS=exp/dnsmos.csv".
"""

import csv
import os
import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import librosa
from speechmos import dnsmos

SCALES = ("ovrl", "sig", "bak")


def main(data: Path, scale: str, output: Path) -> None:
    """Predict every clip, by DNSMOS's own polynomial fit of each scale."""
    clips = defaultdict(list)
    with open(data / "ratings.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            scores = clips[row["wav_path"], row["system_id"], row["sample_id"]]
            scores += [float(row["score"])] if row["score"] else []
    lines = [("wav_path", "system_id", "sample_id", "avg_score", "answer")]
    for (path, system, sample), scores in clips.items():
        samples, rate = librosa.load(path, sr=16000)
        answer = dnsmos.run(samples.clip(-1, 1), sr=rate)[f"{scale}_mos"]
        lines.append((path, system, sample, f"{fmean(scores):.6g}" if scores else "", f"{answer:.6f}"))
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f".{output.stem}.{os.getpid()}.tmp.csv")
    with open(temporary, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
    os.replace(temporary, output)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[2] not in SCALES:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
