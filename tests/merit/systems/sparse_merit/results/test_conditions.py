from merit.systems.sparse_merit.results.conditions import NoiseCondition, in_table_order, parse_condition


def test_names_are_split():
    assert parse_condition("test_babble_-5dB") == NoiseCondition("test_babble_-5dB", "test", "babble", -5.0)
    assert parse_condition("test_esc_10_2.5dB") == NoiseCondition("test_esc_10_2.5dB", "test", "esc_10", 2.5)
    assert parse_condition("test") == NoiseCondition("test", "test", "", None)


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
