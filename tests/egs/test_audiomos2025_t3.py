"""egs/audiomos2025_t3/local: the archive that the challenge gave out at its end."""

from importlib import import_module

import pytest
from rated_corpora import EGS, make_audiomos2025_t3, prepared, write_audio, write_text

from merit.errors import MeritError


@pytest.fixture
def prepare(monkeypatch):
    monkeypatch.syspath_prepend(EGS / "audiomos2025_t3/local")
    return import_module("prepare_audiomos2025_t3").prepare_audiomos2025_t3


def test_train_and_dev_are_the_same_clips_in_different_tests(prepare, tmp_path):
    make_audiomos2025_t3(tmp_path / "track3")
    prepare(tmp_path / "track3", tmp_path / "data")
    sets = {part: prepared(tmp_path / "data", part) for part in ("train", "dev", "test")}
    assert list(sets["train"]) == list(sets["dev"]) != list(sets["test"])
    clip = sets["train"]["24k_nvSR-1089_1"]  # not 24k_nv-SR_1089_1
    assert clip.system_id == "24k_nvSR" and clip.mean == 3 and clip.listeners == ("24k_01", "24k_03", "24k_05")
    assert sets["dev"]["24k_nvSR-1089_1"].listeners[0] == "mix_val_01"
    assert {len(clips) for clips in sets.values()} == {4}


def test_further_synthesisers_are_for_the_classification_alone(prepare, tmp_path):
    make_audiomos2025_t3(tmp_path / "track3")
    for name in ("one/a.wav", "two/b.flac"):
        write_audio(tmp_path / "tts" / name, 24000)
    prepare(tmp_path / "track3", tmp_path / "data", synthetic=str(tmp_path / "tts"))
    train = prepared(tmp_path / "data", "train")
    assert len(train) == 6 and train["one-a"].scores == () and len(prepared(tmp_path / "data", "dev")) == 4


def test_a_clip_of_something_else_is_shown(prepare, tmp_path):
    make_audiomos2025_t3(tmp_path / "track3")
    write_text(tmp_path / "track3/val/utt_mix_val.csv", "uttID,lisID,rating", "audiomos-track3-8k_nv_1.wav,01,3")
    with pytest.raises(
        MeritError, match=r"utt_mix_val.csv:2: 'audiomos-track3-8k_nv_1.wav'; expected audiomos-track3-<rate>"
    ):
        prepare(tmp_path / "track3", tmp_path / "data")
    with pytest.raises(MeritError, match="sysMap.txt: the file is missing; give the folder that holds sysMap.txt"):
        prepare(tmp_path, tmp_path / "data")
