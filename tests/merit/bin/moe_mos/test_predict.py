"""The prediction command hands its options on."""

from pathlib import Path

from merit.bin.moe_mos.predict import predict


def test_options(monkeypatch):
    seen = []
    monkeypatch.setattr("merit.systems.moe_mos.predictions.predict_directory", lambda *given: seen.extend(given))
    predict(Path("exp/m"), Path("data/test"), Path("p.csv"), dump=Path("dump"), batch_seconds=5.0)
    assert seen == [Path("exp/m"), Path("data/test"), Path("p.csv"), Path("dump"), None, "auto", "auto", 5.0]
