"""The noise of the DNS challenge as a small folder of its layout."""

from published_noise import DNS, make_corpus, prepared, removed

from merit.data.noise.preparation import prepare_noise
from merit.data.noise.recordings import PARTS


def test_dns_names_tell_what_its_pieces_are_of(tmp_path):
    dns = make_corpus(tmp_path / "noise_fullband", DNS)
    prepare_noise("dns", dns, tmp_path / "out")
    parts, recordings = prepared(tmp_path / "out")
    assert recordings == DNS and set(parts) == set(PARTS)
    prepare_noise("dns", dns, tmp_path / "audioset", ["audioset"], (0, 0, 1))
    assert all(name.startswith("youtube:") for name in prepared(tmp_path / "audioset")[1].values())
    assert removed(tmp_path / "audioset")["fan_Freesound_validated_500_3.wav"] == "freesound is not among the subsets"
