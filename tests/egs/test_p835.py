"""egs/p835/local: the layout of microsoft/P.808, its workbook, folds and baselines."""

import zipfile
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import soundfile

from merit.data.rated.ratings import clips_of, read_ratings
from merit.errors import MeritError
from merit.metrics.quality.prediction_table import read_predictions

RECIPE = Path(__file__).parents[2] / "egs/p835"
SHEETS = {"degraded_fullband_48KHz": "Fullband-results per file", "degraded_WB_16KHz": "16KHzWB-results per file"}
HEADER = ("file_url", "short_file_name", "condition_num", "n votes", "MOS_BAK", "MOS_SIG", "MOS_OVRL")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@pytest.fixture
def local(monkeypatch):
    """Function that imports a module of the recipe."""
    monkeypatch.syspath_prepend(RECIPE / "local")
    return import_module


def write_workbook(path: Path, sheets: dict[str, list[tuple]]) -> None:
    """A workbook as Excel writes it: strings aside, sheets named in one file and found through another."""
    strings: list[str] = []

    def cell(place: str, value: object) -> str:
        if not isinstance(value, str):
            return f'<c r="{place}"><v>{value!r}</v></c>'
        strings.append(value)
        return f'<c r="{place}" t="s"><v>{len(strings) - 1}</v></c>'

    with zipfile.ZipFile(path, "w") as archive:
        names, targets = "", ""
        for number, (name, rows) in enumerate(sheets.items(), start=1):
            lines = ""
            for line, row in enumerate(rows, start=1):
                cells = "".join(cell(f"{'ABCDEFG'[at]}{line}", value) for at, value in enumerate(row))
                lines += f'<row r="{line}">{cells}</row>'
            archive.writestr(f"xl/worksheets/sheet{9 - number}.xml", f'<worksheet xmlns="{MAIN}">{lines}</worksheet>')
            names += f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
            targets += f'<Relationship Id="rId{number}" Target="worksheets/sheet{9 - number}.xml"/>'
        archive.writestr("xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{names}</workbook>')
        archive.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{targets}</Relationships>")
        texts = "".join(f"<si><t>{text}</t></si>" for text in strings)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{texts}</sst>')


def make_clone(clone: Path) -> None:
    """Two talkers in six conditions of both tests; the rating of overall quality is 1 + condition / 2, of speech 4."""
    folder = clone / "p835_reference_conditions"
    generator = np.random.default_rng(0)
    clean = {
        who: 0.1 * generator.standard_normal(48000) * (1 + np.sin(np.arange(48000) / 2500)) for who in ("f1", "m1")
    }
    sheets = {}
    for audio, sheet in SHEETS.items():
        (folder / audio).mkdir(parents=True)
        rows: list[tuple] = [HEADER]
        for condition in range(6):
            for who, samples in clean.items():
                noise = 0.01 * condition * generator.standard_normal(48000)
                soundfile.write(folder / audio / f"c{condition}_{who}.wav", samples + noise, 48000)
                name = f"c{condition}_{who}.wav"
                rows.append(
                    (f"https://x/{name}", name, condition, 7, 2.0, 4.0, 1 + condition / 2 + ("WB" in audio) / 4)
                )
        sheets[sheet] = rows
    write_workbook(folder / "CSP835_Ref_Conditions.xlsx", sheets)


@pytest.fixture
def clone(tmp_path) -> Path:
    make_clone(tmp_path / "P.808")
    return tmp_path / "P.808"


def test_no_condition_is_in_two_sets_of_a_fold_and_every_clip_is_tested_once(local, clone, tmp_path):
    local("prepare_p835").prepare_p835(clone, tmp_path / "data")
    everything = clips_of(read_ratings(tmp_path / "data/all/ratings.csv"))
    assert (
        len(everything) == 24 and everything["fullband_c3-f1"].mean == 2.5 and everything["wideband_c3-f1"].mean == 2.75
    )
    tested = []
    for fold in range(1, 6):
        folder = tmp_path / f"data/fold{fold}"
        parts = {part: clips_of(read_ratings(folder / part / "ratings.csv")) for part in ("train", "dev", "test")}
        conditions = [{clip.system_id.split("_")[1] for clip in clips.values()} for clips in parts.values()]
        assert sum(map(len, conditions)) == len(set.union(*conditions)) == 6
        tested += parts["test"]
    assert sorted(tested) == sorted(everything)


def test_scales(local, clone, tmp_path):
    for scale, expected in (("sig", 4.0), ("bak", 2.0)):
        ratings = local("prepare_p835").read_results(clone / "p835_reference_conditions", scale)
        assert {rating.score for rating in ratings} == {expected}


def test_baselines_are_predictions_of_all_clips(local, clone, tmp_path):
    local("prepare_p835").prepare_p835(clone, tmp_path / "data")
    names, folder = ("mean", "pesq", "other_test"), tmp_path / "data/baselines"
    found = {name: read_predictions([folder / f"{name}.csv"]) for name in names}
    place = found["mean"].clips.index("fullband_c5-f1")
    # Fold 1 tests c0 and c5; c1 is its dev set: the mean of c2, c3 and c4 of both tests is left.
    assert found["mean"].answers[place] == pytest.approx(1 + 3 / 2 + 1 / 8)
    assert found["other_test"].answers[place] == 3.75 and found["other_test"].truth[place] == 3.5
    pesq = dict(zip(found["pesq"].clips, found["pesq"].answers))
    assert pesq["fullband_c0-f1"] == pytest.approx(4.64, abs=0.01)
    assert pesq["fullband_c0-f1"] > pesq["fullband_c1-f1"] > pesq["fullband_c5-f1"]


def test_missing_clips_are_listed_and_left_out_only_when_allowed(local, clone, tmp_path):
    (clone / "p835_reference_conditions/degraded_WB_16KHz/c5_f1.wav").unlink()
    with pytest.raises(MeritError, match="1 of 24 files are missing"):
        local("prepare_p835").prepare_p835(clone, tmp_path / "data")
    local("prepare_p835").prepare_p835(clone, tmp_path / "data", allow_missing=True)
    assert len(clips_of(read_ratings(tmp_path / "data/all/ratings.csv"))) == 23
    assert not (tmp_path / "data/baselines/other_test.csv").exists()


def test_another_folder_and_another_workbook_are_named(local, clone, tmp_path):
    prepare = local("prepare_p835").prepare_p835
    with pytest.raises(MeritError, match="no CSP835_Ref_Conditions.xlsx in it; give a clone of P.808"):
        prepare(tmp_path, tmp_path / "data")
    workbook = clone / "p835_reference_conditions/CSP835_Ref_Conditions.xlsx"
    write_workbook(workbook, {"Sheet1": [HEADER]})
    with pytest.raises(MeritError, match="no sheet 'Fullband-results per file'; it has Sheet1"):
        prepare(clone, tmp_path / "data")
    write_workbook(workbook, {name: [HEADER, ("x", "song.wav", 1, 7, 2.0, 4.0, 3.0)] for name in SHEETS.values()})
    with pytest.raises(MeritError, match="expected a clip, as c3_f1.wav"):
        prepare(clone, tmp_path / "data")
    workbook.write_bytes(b"rubbish")
    with pytest.raises(MeritError, match="not a whole Excel workbook"):
        prepare(clone, tmp_path / "data")
