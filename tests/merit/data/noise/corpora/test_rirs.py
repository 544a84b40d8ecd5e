"""The impulse responses of OpenSLR 28 as a small folder of their layout."""

from published_noise import make_corpus, prepared, removed

from merit.data.noise.preparation import prepare_noise


def test_room_responses_go_by_room(tmp_path, caplog):
    rooms = [f"{size}room/Room00{number}" for size in ("small", "large") for number in (1, 2)]
    simulated = [f"simulated_rirs/{room}/{room[-7:]}-0000{number}.wav" for room in rooms for number in (1, 2)]
    real = [
        f"real_rirs_isotropic_noises/RVB2014_type1_rir_{room}_{place}.wav"
        for room in ("hall", "bath")
        for place in ("near", "far")
    ]
    noises = [
        "real_rirs_isotropic_noises/RVB2014_type1_noise_hall_1.wav",
        "pointsource_noises/noise-free-sound-0000.wav",
    ]
    rirs = make_corpus(tmp_path / "RIRS_NOISES", [*simulated, *real, *noises])
    lines = (f"--rir-id {n} --room-id RVB_{name.split('_')[-2]} RIRS_NOISES/{name}\n" for n, name in enumerate(real))
    (rirs / "real_rirs_isotropic_noises" / "rir_list").write_text("".join(lines))
    (rirs / "simulated_rirs" / "smallroom" / "rir_list").write_text("--rir-id a --room-id b c.wav\n")
    prepare_noise("rirs", rirs, tmp_path / "out")
    _, recordings = prepared(tmp_path / "out")
    assert recordings.keys() == {*simulated, *real}
    assert recordings[simulated[0]] == "rirs:smallroom-Room001" and recordings[real[0]] == "rirs:RVB_hall"
    assert len(set(recordings.values())) == 6
    assert removed(tmp_path / "out").keys() == set(noises)
    assert "simulated_rirs: 8 files, expected 60000" in caplog.text
