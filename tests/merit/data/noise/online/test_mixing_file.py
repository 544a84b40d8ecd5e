import json

import pytest
from made_mixing import make_mixing, make_online_set

from merit.data.noise.online.mixing_file import mixing_text, read_mixing, summary
from merit.data.noise.online.values import Values
from merit.errors import MeritError


def test_what_is_written_is_read(tmp_path):
    mixing = make_mixing(tmp_path, snr=Values((-5.0, 0.1, 15.0), False))
    path = tmp_path / "mixing.json"
    path.write_text(mixing_text(mixing))
    assert read_mixing(path) == mixing


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.pop("snr"),
        lambda fields: fields.update(snr="loud"),
        lambda fields: fields.update(volume=3),
        lambda fields: fields["noises"][0].pop("weight"),
        lambda fields: fields.update(noises=["hum"]),
    ],
)
def test_another_content_is_named(tmp_path, change):
    fields = json.loads(mixing_text(make_mixing(tmp_path)))
    change(fields)
    path = tmp_path / "mixing.json"
    path.write_text(json.dumps(fields))
    with pytest.raises(
        MeritError, match="mixing.json: not what mixtures are drawn from .*; run the noise mixing again"
    ):
        read_mixing(path)
    for text in ("half a {", "[]"):
        path.write_text(text)
        with pytest.raises(MeritError, match="mixing.json: not what mixtures are drawn from"):
            read_mixing(path)


def test_a_summary_tells_mixings_apart(tmp_path, corpus):
    first = summary(make_online_set(corpus["train"], tmp_path))
    assert first["noises"] == {"hum": "weight 2, 3 files", "babble": "weight 1, 2 talkers of 4 speakers"}
    assert (first["snr"], first["gain"], first["rooms"]) == ("-5:15", "-3:3", "3 in a share of 0.5")
    for change in (
        {"snr": Values((-5.0, 10.0), True)},
        {"gain": Values((0.0,), False)},
        {"room_share": 0.4},
        {"telephone_share": 0.0},
        {"seed": 4},
        {"content": "other"},
        {"noises": make_mixing(tmp_path).noises[:1]},
    ):
        assert summary(make_online_set(corpus["train"], tmp_path, **change)) != first
