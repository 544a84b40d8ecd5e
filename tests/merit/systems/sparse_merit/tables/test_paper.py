"""The published numbers in egs/msp_podcast/paper against the text of the paper, and the comparison with them."""

import csv
import io
import logging
from collections import Counter
from pathlib import Path

import pytest

from merit.errors import MeritError
from merit.report.table import Cell, Column, Table, records
from merit.systems.sparse_merit.methods.method import COMMON, find_method
from merit.systems.sparse_merit.tables.paper import HEADINGS, compare_with_paper, comparison_csv, read_published

PAPER = Path(__file__).parents[5] / "egs" / "msp_podcast" / "paper"
SNRS, NOISES = (-5, 0, 5, 10), ("crss", "freesound", "dns")
RECOGNISING = "original ft_m se_p ft_mtl ft_mtl_uncertainty ft_mtl_pcgrad dense_merit sparse_merit".split()
ENHANCING = "noisy se_only ft_mtl ft_mtl_uncertainty ft_mtl_pcgrad dense_merit sparse_merit".split()
SIX_MEASURES = {"PESQ", "CSIG", "CBAK", "COVL", "SSNR", "STOI"}  # a seventh of ours would not be in the paper


@pytest.fixture(scope="module")
def published():
    return {number: read_published(PAPER / f"table_{number}.csv") for number in range(1, 8)}


def find(lines, **wanted):
    (line,) = (line for line in lines if all(line[key] == value for key, value in wanted.items()))
    return line


@pytest.mark.parametrize(
    "number, methods, measures",
    [
        (1, RECOGNISING, {"f1_macro", "f1_micro"}),
        (2, ENHANCING, SIX_MEASURES),
        (6, ["sparse_merit", "sparse_merit_balance"], {"f1_macro", "f1_micro"}),
        (7, ["sparse_merit", "sparse_merit_balance"], SIX_MEASURES),
    ],
)
def test_tables_over_noises_are_complete(published, number, methods, measures):
    places = Counter((line["snr"], line["noise"], line["method"]) for line in published[number])
    assert places == Counter((snr, noise, method) for snr in SNRS for noise in NOISES for method in methods)
    assert set(published[number][0]) - set(HEADINGS) == measures
    assert all(find_method(method, [COMMON]) for method in set(methods) - {"noisy"})


def test_the_other_tables_are_complete(published):
    assert [line["experts"] for line in published[3]] == [1, 3, 5, 7, 9]
    assert [line["snr"] for line in published[4]] == list(SNRS)
    assert [line["emotion"] for line in published[5]] == ["angry", "sad", "happy", "neutral"]


@pytest.mark.parametrize(
    "number, place, values",
    [
        (1, dict(snr=-5, noise="crss", method="original"), dict(f1_macro=0.299, f1_micro=0.481)),
        (1, dict(snr=-5, noise="crss", method="se_p"), dict(f1_macro=0.507, f1_micro=0.579)),
        (1, dict(snr=0, noise="freesound", method="ft_mtl_uncertainty"), dict(f1_macro=0.552, f1_micro=0.635)),
        (1, dict(snr=5, noise="dns", method="ft_mtl_pcgrad"), dict(f1_macro=0.561, f1_micro=0.616)),
        (1, dict(snr=10, noise="dns", method="sparse_merit"), dict(f1_macro=0.583, f1_micro=0.658)),
        (2, dict(snr=-5, noise="crss", method="noisy"), dict(PESQ=1.08, SSNR=-5.38, STOI=0.49)),
        (2, dict(snr=0, noise="dns", method="dense_merit"), dict(CSIG=2.68, CBAK=2.24, SSNR=2.75)),
        (2, dict(snr=10, noise="freesound", method="se_only"), dict(PESQ=2.28, COVL=3.19, SSNR=8.99)),
        (3, dict(experts=3), dict(f1_macro=0.583, SSNR=7.35)),
        (3, dict(experts=5), dict(f1_macro=0.577, SSNR=7.62)),
        (4, dict(snr=-5), dict(se_switch=0.316, ser_switch=0.314, agreement=0.406)),
        (5, dict(emotion="happy"), dict(se_switch=0.288, ser_switch=0.300, agreement=0.448)),
        (6, dict(snr=-5, noise="crss", method="sparse_merit_balance"), dict(f1_macro=0.421, f1_micro=0.542)),
        (7, dict(snr=10, noise="dns", method="sparse_merit"), dict(PESQ=2.28, SSNR=11.25, STOI=0.92)),
    ],
)
def test_values_read_from_the_paper(published, number, place, values):
    line = find(published[number], **place)
    assert {key: line[key] for key in values} == values


def test_sparse_merit_is_the_same_in_tables_2_and_7(published):
    own = [line for line in published[2] if line["method"] == "sparse_merit"]
    assert len(own) == 12
    for line in own:
        assert line in published[7]


@pytest.mark.parametrize(
    "noise, other, percent",
    [
        ("freesound", "ft_m", 3.6),
        ("freesound", "se_p", 12.4),
        ("freesound", "ft_mtl", 3.8),
        ("dns", "ft_m", 3.8),
        ("dns", "se_p", 11.6),
        ("dns", "ft_mtl", 2.9),
    ],
)
def test_gains_in_f1_that_section_5a_names(published, noise, other, percent):
    own, baseline = (
        find(published[1], snr=-5, noise=noise, method=method)["f1_macro"] for method in ("sparse_merit", other)
    )
    assert round(100 * (own / baseline - 1), 1) == percent


def test_averages_that_the_abstract_names(published):
    def gain(other, number, measure):
        gains = []
        for noise in ("freesound", "dns"):
            own, baseline = (
                find(published[number], snr=-5, noise=noise, method=method)[measure]
                for method in ("sparse_merit", other)
            )
            gains.append(100 * (own - baseline) / abs(baseline))
        return sum(gains) / 2

    assert gain("se_p", 1, "f1_macro") == pytest.approx(12.0, abs=0.05)
    assert gain("ft_mtl", 1, "f1_macro") == pytest.approx(3.4, abs=0.08)
    assert gain("se_only", 2, "SSNR") == pytest.approx(28.2, abs=0.08)
    assert gain("ft_mtl", 2, "SSNR") == pytest.approx(20.0, abs=0.08)


@pytest.mark.parametrize(
    "noise, other, percents",
    [
        ("freesound", "se_only", dict(PESQ=-1.8, CSIG=14.1, CBAK=5.3, COVL=9.3, SSNR=12.1, STOI=20.0)),
        ("freesound", "ft_mtl", dict(PESQ=0.9, CSIG=6.1, CBAK=2.6, COVL=4.5, SSNR=8.6, STOI=3.1)),
        ("dns", "se_only", dict(PESQ=0.0, CSIG=15.1, CBAK=7.7, COVL=10.3, SSNR=44.4, STOI=19.6)),
        ("dns", "ft_mtl", dict(PESQ=1.8, CSIG=7.6, CBAK=4.0, COVL=6.0, SSNR=31.5, STOI=4.7)),
    ],
)
def test_gains_in_enhancement_that_section_5b_names(published, noise, other, percents):
    own, baseline = (find(published[2], snr=-5, noise=noise, method=method) for method in ("sparse_merit", other))
    gains = {name: 100 * (own[name] - baseline[name]) / abs(baseline[name]) for name in percents}
    assert gains == pytest.approx(percents, abs=0.051)


def ours():
    """A table of two methods in two noises."""
    columns = [Column("f1_macro", "F1-macro", noise) for noise in ("crss", "wind")]
    columns = (Column("snr", "SNR (dB)"), Column("method", "Method"), *columns)
    rows = (
        (Cell(-5.0, "-5"), Cell("ft_m", "FT-M"), Cell(0.4), Cell(0.5)),
        (Cell(-5.0, "-5"), Cell("ft_mtl", "FT-MTL"), Cell(float("nan")), Cell(0.6)),
        (Cell(2.0, "2"), Cell("ft_m", "FT-M"), Cell(0.7), Cell(0.8)),
    )
    return Table("table_1", "Emotion recognition", columns, rows, headings=2, blocks=1, group_key="noise")


def test_our_values_stand_beside_the_published_ones():
    (compared,) = compare_with_paper([ours()], PAPER)
    assert compared.name == "table_1_paper"
    assert [[cell.shown(3) for cell in row] for row in compared.rows] == [
        ["-5", "crss", "FT-M", "0.400", "0.386", "+0.014"],
        ["-5", "crss", "FT-MTL", "-", "0.388", "-"],
    ]
    assert [column.group_label for column in compared.columns[3:]] == ["F1-macro"] * 3
    assert records(compared)[0]["difference"] == pytest.approx(0.4 - 0.386)
    line = next(csv.DictReader(io.StringIO(comparison_csv([compared]))))
    assert (line["table"], line["noise"], line["measure"], line["paper"]) == ("table_1", "crss", "f1_macro", "0.386")
    assert line["experts"] == ""


def test_tables_without_a_line_in_common_are_left_out(caplog):
    columns = (Column("experts", "Experts"), Column("f1_macro", "F1-macro"))
    with caplog.at_level(logging.INFO):
        assert compare_with_paper([Table("table_3", "T", columns, ((Cell(2), Cell(0.5)),))], PAPER) == []
    assert "table_3: no line of it is in" in caplog.text
    assert compare_with_paper([Table("other", "T", columns, ((Cell(3), Cell(0.5)),))], PAPER) == []


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "empty"),
        ("snr,method,f1_macro\n-5,ft_m,0.3\n0,ft_m\n", ":3: expected 3 columns, found 2"),
        ("snr,method,f1_macro\n-5,ft_m,0.3*\n", ":2: f1_macro is '0.3\\*'; expected a number"),
    ],
)
def test_damaged_published_numbers_are_named(tmp_path, text, message):
    (tmp_path / "table_1.csv").write_text(text)
    with pytest.raises(MeritError, match=message):
        compare_with_paper([ours()], tmp_path)


def test_a_folder_without_published_numbers_is_an_error(tmp_path):
    with pytest.raises(MeritError, match="no table_.*csv with published numbers"):
        compare_with_paper([ours()], tmp_path)
