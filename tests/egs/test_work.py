"""Stage 1 of every recipe with ``--work``: the data lies there, from wherever the recipe is called."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import parallel_corpora
import pytest
import rated_corpora
import soundfile
from test_iemocap import make_corpus as make_iemocap
from test_msp_podcast import ROWS, line
from test_msp_podcast import make_corpus as make_msp_podcast
from test_nemo import HEADER as NEMO_HEADER
from test_nemo import row as nemo_row
from test_p835 import make_clone as make_p835

from merit.data.datadir import problems_in, read_table

EGS = Path(__file__).parents[2] / "egs"

# An utterance or two of each set.
FILES = {
    "crema_d": [f"AudioWAV/{actor}_DFA_{code}_XX.wav" for actor in (1001, 1004, 1012) for code in ("ANG", "FEA")],
    "emodb": [f"wav/{name}{code}a.wav" for name in ("03a02", "09a01", "11a01") for code in "WA"],
    "esd": [f"{who}/Angry/{who}_{350 + number:06}.wav" for who, number in (("0011", 51), ("0014", 1), ("0020", 21))],
    "nemo": [f"samples/{actor}_{emotion}_1.wav" for actor in ("EB0", "IC0", "KS0") for emotion in ("anger", "fear")],
    "ravdess": [f"Actor_{who}/03-01-{code}-01-01-01-{who}.wav" for who in ("01", "02", "11") for code in ("05", "06")],
    "vctk_demand": [
        f"{kind}_{part}_wav/{name}_001.wav"
        for kind in ("noisy", "clean")
        for part, names in {"trainset_28spk": ("p226", "p227", "p287"), "testset": ("p232",)}.items()
        for name in names
    ],
}
RATED = {
    "audiomos2025_t3": rated_corpora.make_audiomos2025_t3,
    "bvcc": rated_corpora.make_bvcc,
    "nisqa": rated_corpora.make_nisqa,
    "p835": make_p835,
    "somos": rated_corpora.make_somos,
    "tmhint_qi": rated_corpora.make_tmhint_qi,
}
PARALLEL = {
    "covost2": parallel_corpora.make_covost2,
    "fisher_callhome": parallel_corpora.make_fisher_callhome,
    "mboshi": parallel_corpora.make_mboshi,
    "mustc": parallel_corpora.make_mustc,
}
RECIPES = [*FILES, *RATED, *PARALLEL, "iemocap", "mini", "mini_mos", "mini_s2t", "msp_podcast"]
FOLDED = {"p835": ("all", "fold1/train", "fold5/test")}

# Python, but it makes less of the mini corpus than the recipe asks for, and leaves nothing in the recipe's directory.
PYTHON = f"""#!/usr/bin/env bash
case $1 in
*prepare_mini.py) set -- "$@" --train 1 --dev 1 --test 1 --babble 1 ;;
*prepare_mini_mos.py | *prepare_mini_s2t.py) set -- "$@" --train 1 --dev 1 --test 1 ;;
*make_noise.py) set -- "$@" --files 1 --seconds 1 ;;
esac
export PYTHONDONTWRITEBYTECODE=1
exec {sys.executable} "$@"
"""


def make_corpus(recipe: str, folder: Path) -> None:
    """A small part of a recipe's corpus, in its layout; the mini corpus is made by the recipe."""
    if recipe == "iemocap":
        make_iemocap(folder)
    elif recipe == "msp_podcast":
        make_msp_podcast(folder, [line(*row) for row in ROWS])
    for name in FILES.get(recipe, ()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, np.random.default_rng(0).standard_normal(1600) / 10, 16000)
    if maker := {**RATED, **PARALLEL}.get(recipe):
        maker(folder)
    if recipe == "nemo":
        rows = "".join(nemo_row(Path(name).stem) for name in FILES[recipe])
        (folder / "data.tsv").write_text(NEMO_HEADER + rows, encoding="utf-8")


def test_no_recipe_is_left_out():
    # That of encoders has no corpus of its own.
    assert {path.parent.name for path in EGS.glob("*/run.sh")} == {*RECIPES, "distill"}


@pytest.mark.parametrize("recipe", RECIPES)
def test_stage_1_writes_into_the_work_directory(recipe, tmp_path):
    corpus, work, python = tmp_path / "the corpus", tmp_path / "my work", tmp_path / "python"
    make_corpus(recipe, corpus)
    python.write_text(PYTHON)
    python.chmod(0o755)
    before = sorted((EGS / recipe).rglob("*"))
    options = ["--work", str(work), "--stop-stage", "1", "--python", str(python), f"--{recipe}", str(corpus)]
    if "\nallow_missing=" in (EGS / recipe / "run.sh").read_text():
        options += ["--allow-missing", "true"]
    result = subprocess.run([str(EGS / recipe / "run.sh"), *options], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for name in FOLDED.get(recipe, ("train", "dev", "test")):
        assert problems_in(work / "data" / name, audio=True) == []
        assert all(path.startswith(str(corpus)) for path in read_table(work / "data" / name / "wav.scp").values())
    if recipe == "mini":
        assert any((work / "dump/noise/wind").iterdir())
    assert sorted((EGS / recipe).rglob("*")) == before
