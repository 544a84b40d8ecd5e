"""Published noise corpora in small: files of their names, and what is true of every folder made of them."""

from collections import defaultdict

import numpy as np
import soundfile

from merit.data.noise.recordings import noise_files

ESC50 = [
    f"audio/{fold}-{fold}00{group}-{take}-{group}0.wav" for fold in range(1, 6) for group in (1, 2, 4) for take in "AB"
]

DNS = {
    "door_Freesound_validated_11_0.wav": "freesound:11",
    "door_Freesound_validated_11_1.wav": "freesound:11",
    "fan_Freesound_validated_500_3.wav": "freesound:500",
    "munching_Freesound_validated_B32_Chips_ebrahim_10.wav": "freesound:B32_Chips_ebrahim",
    "x8fp6MYE41s.wav": "youtube:x8fp6MYE41s",
    "-0BQdzcum73.wav": "youtube:-0BQdzcum73",
    "__5V2Njkf5M.wav": "youtube:__5V2Njkf5M",
    "DEMAND/TBUS/ch01.wav": "demand:TBUS",
    "typing_7.wav": "dns:typing_7",
}


def make_corpus(folder, names, seed=0, samples=400):
    """Files of different random content."""
    generator = np.random.default_rng(seed)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, 0.1 * generator.standard_normal(samples), 16000)
    return folder


def table(path):
    header, *lines = path.read_text().splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"))) for line in lines]


def prepared(output):
    """Check what is true of every prepared corpus, and return its files by part and its recordings by file."""
    parts, recordings, part_of = defaultdict(list), {}, {}
    for row in table(output / "manifest.tsv"):
        part, name = row["file"].split("/", 1)
        link = output / row["file"]
        assert link.is_symlink() and str(link.resolve()) == row["source"] and row["source"].endswith(f"/{name}")
        assert part == row["part"] and int(row["bytes"]) == link.stat().st_size
        for recording in row["recordings"].split():
            assert part_of.setdefault(recording, part) == part
        parts[part].append(name)
        recordings[name] = row["recordings"]
    for part, names in parts.items():
        found = noise_files(output, output.parent / "data" / "noise" / "x.tsv", part)
        assert sorted(file.file for file in found) == sorted(f"{part}/{name}" for name in names)
    return {part: sorted(names) for part, names in parts.items()}, recordings


def removed(output):
    return {row["file"]: row["why"] for row in table(output / "removed.tsv")}
