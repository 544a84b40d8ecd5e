from merit.data.noise.mixed_names import parse_condition
from merit.systems.sparse_merit.results.conditions import in_table_order


def test_table_order_is_clean_seen_unseen_by_rising_snr():
    names = ["test_wind_0dB", "test_babble_10dB", "test_babble_-5dB", "test", "test_babble_0dB", "test_air_5dB"]
    ordered = in_table_order(map(parse_condition, names), seen=["babble"])
    assert [condition.name for condition in ordered] == [
        "test",
        "test_babble_-5dB",
        "test_babble_0dB",
        "test_babble_10dB",
        "test_air_5dB",
        "test_wind_0dB",
    ]
