"""The command that writes the tables."""

from pathlib import Path

from merit.bin.moe_mos.tabulate import tabulate


def test_further_predictors_are_name_and_table(monkeypatch):
    seen = []
    monkeypatch.setattr("merit.systems.moe_mos.results.results_page.write_results", lambda *given: seen.extend(given))
    others = ["PESQ=exp/pesq.csv", "DNSMOS P.835=a=b.csv"]
    tabulate(Path("exp"), ["m"], [7], [Path("data/test")], Path("exp"), folds=["fold1"], others=others)
    assert seen[0].tables("m", 7) == [Path("exp/m-7/fold1/predictions.csv")]
    assert seen[3] == {"PESQ": "exp/pesq.csv", "DNSMOS P.835": "a=b.csv"}
