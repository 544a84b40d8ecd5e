"""RESULTS.md of one trained model."""

import json

import pytest

from merit.errors import MeritError
from merit.systems.sparse_merit.tables import run_report
from merit.systems.sparse_merit.tables.run_report import results_page, score_tables

ENHANCEMENT_HEADER = "utt,PESQ,CSIG,CBAK,COVL,SSNR,STOI\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def record(utt, composite):
    return json.dumps(dict(utt=utt, compared="x", composite=composite, scores={}, failures={}, cut=0)) + "\n"


@pytest.fixture
def folders(tmp_path):
    """A model, its scores in two conditions and the noisy input's scores in three."""
    description = {
        "model": {"front_end": "moe", "num_experts": 3, "top_k": 1},
        "classes": ["anger", "joy"],
        "num_states": 25,
        "hidden_size": 1024,
        "ssl": "microsoft/wavlm-large",
    }
    write(tmp_path / "sparse_merit-7" / "config.json", json.dumps({"description": description, "run": {}}))
    emotion = "utt,reference,hypothesis,correct\nu1,anger,anger,1\nu2,anger,joy,0\nu3,joy,joy,1\nu4,joy,joy,1\n"
    for condition in ("test_babble_-5dB", "test_wind_0dB"):
        write(tmp_path / "score" / condition / "emotion.csv", emotion)
        write(
            tmp_path / "score" / condition / "enhancement.csv",
            ENHANCEMENT_HEADER + "u1,2,3,2,2.5,4,0.8\nu2,nan,nan,nan,nan,6,0.9\n",
        )
        write(tmp_path / "score" / condition / "enhancement.jsonl", record("u1", "matlab"))
    for condition in ("test_babble_-5dB", "test_wind_0dB", "test_babble_5dB"):
        write(tmp_path / "noisy" / condition / "enhancement.csv", ENHANCEMENT_HEADER + "u1,1.5,2,2,1.5,-3,0.7\n")
        write(tmp_path / "noisy" / condition / "enhancement.jsonl", record("u1", "matlab"))
    return tmp_path


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_tables_mark_seen_noise_and_put_noisy_before_enhanced(folders):
    lines = score_tables(folders / "score", folders / "noisy", ["babble"]).splitlines()
    table = [cells(line) for line in lines if line.startswith("|")]
    # F1 of anger 2/3 and of joy 4/5; recalls 1/2 and 1.
    assert ["babble \\*", "-5", "0.733", "0.750", "0.750", "4"] in table
    assert ["wind", "0", "0.733", "0.750", "0.750", "4"] in table
    at = table.index(["babble \\*", "-5", "Noisy", "1.50", "2.00", "2.00", "1.50", "-3.00", "0.700", "1", "0"])
    undefined = "1 PESQ, 1 CSIG, 1 CBAK, 1 COVL"
    assert table[at + 1] == ["babble \\*", "-5", "Enhanced", *"2.00 3.00 2.00 2.50 5.00 0.850 2".split(), undefined]
    assert not any("5" == row[1] for row in table)  # the noisy input was scored there, this model was not


def test_decimals_are_those_of_the_measure_wherever_it_stands(folders, monkeypatch):
    monkeypatch.setattr(run_report, "MEASURES", ("STOI", "PESQ"))
    lines = score_tables(folders / "score", folders / "noisy", []).splitlines()
    assert ["wind", "0", "Noisy", "0.700", "1.50", "1", "0"] in [cells(line) for line in lines]


def test_the_page_names_how_the_result_came_about(folders):
    model = folders / "sparse_merit-7"
    page = results_page(model, folders / "score", folders / "noisy", "./run.sh --seed 7", ["babble"])
    for part in ("# Results of sparse_merit-7", "- python: 3.", "- torch: ", "- git: ", "`./run.sh --seed 7`"):
        assert part in page
    assert "microsoft/wavlm-large (25 states of 1024)" in page
    assert "front_end moe, num_experts 3, top_k 1" in page
    assert "variant `matlab`" in page


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"description": {"model": 3}}'])
def test_a_damaged_configuration_is_named_in_one_line(folders, text):
    model = folders / "sparse_merit-7"
    (model / "config.json").write_text(text)
    with pytest.raises(MeritError, match="config.json: not the configuration of a trained model"):
        results_page(model, folders / "score", folders / "noisy", "", [])


def test_variants_are_not_mixed(folders):
    write(folders / "noisy" / "test_wind_0dB" / "enhancement.jsonl", record("u1", "cmgan"))
    with pytest.raises(MeritError, match="different composite variants"):
        score_tables(folders / "score", folders / "noisy", [])


def test_one_task_alone_has_one_table(folders):
    for table in (folders / "score").glob("*/enhancement.csv"):
        table.unlink()
    tables = score_tables(folders / "score", folders / "noisy", [])
    assert "emotion recognition" in tables and "enhancement" not in tables


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(MeritError, match="no condition"):
        score_tables(tmp_path, None, [])
