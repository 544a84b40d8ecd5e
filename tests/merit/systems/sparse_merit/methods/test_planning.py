from pathlib import Path

import pytest

from merit.errors import MeritError
from merit.systems.sparse_merit.methods.method import COMMON as COMMON_FOLDER
from merit.systems.sparse_merit.methods.planning import plan_methods, plan_sets

COMMON = str(COMMON_FOLDER)


def plan(*names: str, seeds: tuple[str, ...] = ("7",), own: Path = Path("own"), **changes) -> dict[str, str]:
    options = {"enhancer": "se_only", "enhancer_seed": seeds[0], "is_pretrained": False} | changes
    return plan_methods(names, seeds, [str(own), COMMON], **options)


def test_what_each_method_is_trained_on_and_starts_from():
    found = plan("se_p", "sparse_merit", "original", seeds=("17", "7"))
    assert (found["direct"], found["waiting"], found["kinds"]) == ("sparse_merit original", "se_p", "clean noisy")
    assert found["tasks"] == "emotion enhancement"
    assert found["speech se_p"] == "enhanced" and found["speech se_only"] == found["speech sparse_merit"] == "noisy"
    assert found["conf original"] == f"{COMMON}/original.yaml"
    assert found["tasks original"] == found["heads original"] == "emotion" and found["routes original"] == "false"
    assert found["tasks sparse_merit"] == "emotion enhancement" and found["routes sparse_merit"] == "true"
    assert found["phase1 clean"] == "emotion:17 emotion:7" == found["phase1 enhanced"]
    assert found["phase1 noisy"] == "emotion:17 enhancement:17 emotion:7 enhancement:7"


def test_the_enhancer_needs_its_head_once_and_of_its_seed():
    assert plan("se_p", seeds=("17",), enhancer_seed="7")["phase1 noisy"] == "enhancement:7"
    assert plan("se_p", "se_only", seeds=("17", "7"))["phase1 noisy"] == "enhancement:17 enhancement:7"
    assert plan("se_p", "ft_m", seeds=("17",), enhancer_seed="7")["phase1 noisy"] == "emotion:17 enhancement:7"


def test_a_pretrained_enhancer_starts_from_no_head():
    found = plan("se_p", "se_only", is_pretrained=True)
    assert found["phase1 noisy"] == found["heads se_only"] == "" and found["tasks se_only"] == "enhancement"
    assert found["heads se_p"] == "emotion"


def test_a_method_of_ones_own_routes_unless_it_says_otherwise(tmp_path: Path):
    (tmp_path / "wide.yaml").write_text("speech: clean\nmodel:\n  expert_size: 9\n  tasks:\n  - emotion\n")
    found = plan("wide", own=tmp_path)
    assert found["conf wide"] == f"{tmp_path}/wide.yaml" and found["speech wide"] == "clean"
    assert found["tasks wide"] == found["tasks"] == "emotion" and found["routes wide"] == "true"


@pytest.mark.parametrize(
    "names, enhancer, reason",
    [
        (["ft_m", "nothere"], "se_only", "--methods: there is no conf/nothere.yaml, neither here nor in egs/TEMPLATE"),
        (["se_p"], "nothere", "--enhancer: there is no conf/nothere.yaml, neither here nor in egs/TEMPLATE"),
        (["se_p"], "ft_m", "ft_m.yaml must have the task enhancement"),
        (["se_p"], "again", "again.yaml must have the task enhancement and hear speech that is not enhanced already"),
    ],
)
def test_methods_that_cannot_be_trained_are_refused(tmp_path: Path, names: list[str], enhancer: str, reason: str):
    (tmp_path / "again.yaml").write_text("speech: enhanced\n")
    with pytest.raises(MeritError) as error:
        plan(*names, own=tmp_path, enhancer=enhancer)
    assert reason in str(error.value)
    assert plan("ft_m", enhancer="nothere")["waiting"] == ""  # nobody waits for it


def test_noisy_sets_have_the_names_that_mixing_gives_them():
    found = plan_sets("crss", ["dns", "esc-10"], "5e0", "-5.0 -0 .5 10.50", "0.0 3")
    assert (found["train"], found["dev"], found["snr_train"]) == ("train_crss_5dB", "dev_crss_5dB", "5")
    assert found["snrs_test"] == "-5 0 0.5 10.5"
    assert found["tests dns"] == "test_dns_-5dB test_dns_0dB test_dns_0.5dB test_dns_10.5dB"
    assert found["tests"] == " ".join(found[f"tests {noise}"] for noise in ("crss", "dns", "esc-10"))
    assert found["probed"] == "test_crss_0dB test_dns_0dB test_esc-10_0dB"
    assert plan_sets("crss", [], "5", "-5 5", "0")["probed"] == "test_crss_-5dB test_crss_5dB"


def test_a_corpus_that_is_noisy_already_keeps_its_sets():
    found = plan_sets("", [], "5", "0", "0")
    assert [found[name] for name in ("train", "dev", "tests", "probed")] == ["train", "dev", "test", "test"]


@pytest.mark.parametrize(
    "train, test, reason",
    [
        ("5 10", "0", "--snr-train is one ratio, not '5 10'"),
        ("", "0", "--snr-train is one ratio, not ''"),
        ("0x5", "0", "--snr-train: '0x5' is no ratio in dB, as -5, 0 or 2.5"),
        ("5", "", "--snrs-test names none"),
        ("5", "5 5.0", "--snrs-test names 5 twice"),
        *[
            ("5", f"-5 {word}", f"--snrs-test: '{word}' is no")
            for word in ("abc", "nan", "inf", "1e999", "1_0", "1e-5")
        ],
    ],
)
def test_ratios_that_are_none_are_refused(train: str, test: str, reason: str):
    with pytest.raises(MeritError) as error:
        plan_sets("babble", [], train, test, "0")
    assert str(error.value).startswith(reason)
