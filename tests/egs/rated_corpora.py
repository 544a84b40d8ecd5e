"""What tests of rated corpora share: short audio at any rate, and a look at what was prepared."""

from pathlib import Path

import numpy as np
import soundfile

from merit.data.datadir import problems_in
from merit.data.rated.ratings import RatedClip, clips_of, read_ratings

EGS = Path(__file__).parents[2] / "egs"


def write_audio(path: Path, rate: int = 16000) -> None:
    """A tenth of a second of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.random.default_rng(0).standard_normal(rate // 10) / 10, rate)


def write_text(path: Path, *lines: str) -> None:
    """Lines of a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def prepared(data: Path, part: str) -> dict[str, RatedClip]:
    """The clips of a set, which is a valid data directory."""
    assert problems_in(data / part, audio=True) == []
    return clips_of(read_ratings(data / part / "ratings.csv"))


# A small part of each corpus in its official layout; the functions give the folder for the recipe's option.


def make_bvcc(folder: Path) -> None:
    for part, numbers in {"TRAINSET": (1, 2), "DEVSET": (3,), "TESTSET": (4,)}.items():
        lines = []
        for number in numbers:
            system, file = f"sys{number % 2}a", f"sys{number % 2}a-utt{number}b.wav"
            write_audio(folder / "wav" / file)
            lines += [f"{system},{file},{score},1,{{}}_30-39_L{n}_Female_Valid_1_No" for n, score in enumerate((2, 5))]
        write_text(folder / "sets" / part, *lines)


def make_somos(folder: Path) -> None:
    for kind, factor in (("clean", 1), ("full", 2)):
        for number, part in enumerate(("TRAINSET", "VALIDSET", "TESTSET")):
            lines = ["systemId,utteranceId,choice,listenerId"]
            for system in ("015", "101"):
                file = f"novel_2007_{number}_{system}.wav"
                write_audio(folder / "audios" / file, 24000)
                lines += [f"{system},{file},{score},KEX{score}" for score in (1, 4)]
                lines += [f"{system},{file},3,KEX1"] * (factor - 1)  # somebody who rated it twice
            write_text(folder / "training_files/split1" / kind / part, *lines)


def make_nisqa(folder: Path) -> None:
    names = ("TRAIN_SIM", "TRAIN_LIVE", "VAL_SIM", "VAL_LIVE", "TEST_FOR", "TEST_LIVETALK", "TEST_P501")
    for name in (f"NISQA_{name}" for name in names):
        lines = ["db,con,file,con_description,filename_deg,filename_ref,votes,mos,noi,mos_std"]
        for number in (1, 2):
            file = f"c{number:02d} clip.wav"
            write_audio(folder / name / "deg" / file, 48000)
            lines.append(f'{name},{number},{number},"noise, loud",{file},r.wav,5,{number + 0.4},2.0,0.5')
        write_text(folder / name / f"{name}_file.csv", *lines)


def make_tmhint_qi(folder: Path) -> None:
    lines = ["idx,method,uttr,snr,noise,quality_score,intelligibility_score,file_name"]
    for number in range(40):
        file = f"Trans_babble_{number}"
        write_audio(folder / ("test" if number >= 30 else "train") / f"{file}.wav")
        lines += [f"{who},Trans,{number},{number % 2},babble,{1 + (number + who) % 5},9,{file}" for who in (7, 8)]
        lines.append(f"9,Trans,{number},{number % 2},babble,,9,{file}")
    write_text(folder / "raw_data.csv", *lines)


def make_audiomos2025_t3(folder: Path) -> None:
    write_text(folder / "sysMap.txt", "original|sys1", "nv|sys2", "nvSR|sys3")
    tables: dict[str, list[str]] = {}
    for rate, system in (("16k", "original"), ("24k", "nv"), ("24k", "nvSR"), ("48k", "original")):
        for sentence, tests in (
            ("1089_1", (f"train/utt_{rate}", "val/utt_mix_val")),
            ("1089_2", ("test/utt_mix_test",)),
        ):
            clip = f"audiomos-track3-{rate}_{system}_{sentence}.wav"
            write_audio(folder / "wav" / clip, 1000 * int(rate[:-1]))
            for test in tests:
                tables.setdefault(test, ["uttID,lisID,rating"]).extend(f"{clip},{who:02d},{who}" for who in (1, 3, 5))
    for test, lines in tables.items():
        write_text(folder / f"{test}.csv", *lines)
