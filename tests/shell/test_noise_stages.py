"""egs/TEMPLATE/noise.sh: which noise is mixed with which speech, once or while it is read."""

from recipe_stub import STAGES, Recipe, call_of, modules


def test_a_corpus_that_is_noisy_already_is_not_mixed(recipe: Recipe) -> None:
    assert recipe.run("--mixed", "true", "--methods", "se_only", "--stop-stage", "6").returncode == 0
    calls = recipe.calls()
    assert "mix_noise" not in modules(calls) and "make_babble" not in modules(calls)
    assert "--train data/train --dev data/dev" in call_of(calls, "train_joint")
    assert "--data [data/test,data/dev]" in call_of(calls, "sparse_merit.decode")


ONLINE = ("--mix", "online", "--noise-train", "esc@2=/esc  babble", "--snr-train", "-5:15", "--snrs-test", "0")


def test_training_is_mixed_while_it_is_read_and_dev_once(recipe: Recipe) -> None:
    options = (*ONLINE, "--feats", "online", "--rir", "/my rooms", "--telephone-share", "0.1")
    assert recipe.run(*options).returncode == 0
    calls = recipe.calls()
    mixing = ["validate_data_dir", "make_babble", "mix_online", "mix_online", *["mix_noise"] * 4]
    assert modules(calls) == STAGES[0] + mixing + ["waveform_statistics", "train_heads", *sum(STAGES[4:], [])]
    for part in ("train", "dev"):
        mix = call_of(calls, "mix_online", f"--data data/{part} --part {part} ")
        assert "--noises [esc@2=/esc,babble] --snr=-5:15 --gain=-3:3 --babble_data data/babble --talkers 4" in mix
        assert "--telephone_share 0.1 --rir '/my rooms' --rir_share 1" in mix
    for noise, fractions in (("esc=/esc", "[0.8,0.1,0.1]"), ("babble=dump/noise/babble", "[0.8,0.1,0.1]"),
                             ("wind=dump/noise/wind", "[0,0,1]")):  # fmt: skip
        test = call_of(calls, "mix_noise", f"--noise {noise} ")
        assert "--data data/test " in test and f"--fractions {fractions}" in test
    for name in ("train_heads", "train_joint"):
        assert "--train data/train_online --dev data/dev_drawn" in call_of(calls, name)
    assert "--data data/train_online" in call_of(calls, "waveform_statistics")
    assert "data/test_esc_0dB,data/test_babble_0dB,data/test_wind_0dB,data/test_machine_0dB,data/dev_drawn]" in call_of(
        calls, "sparse_merit.decode"
    )
    assert "--noise_seen [esc,babble]" in call_of(calls, "sparse_merit.report")
    assert recipe.run(*options).returncode == 0
    assert recipe.calls() == []
    assert recipe.run(*options, "--gain-train", "0", "--stop-stage", "5").returncode == 0
    assert modules(recipe.calls()) == ["mix_online"] * 2 + ["waveform_statistics", "train_heads", "train_joint"]


def test_of_training_that_is_mixed_while_it_is_read_dev_alone_is_dumped(recipe: Recipe) -> None:
    options = (*ONLINE, "--feats", "features", "--methods", "sparse_merit original", "--stop-stage", "4")
    assert recipe.run(*options).returncode == 0
    calls = recipe.calls()
    dumped = [call.split("--output ")[1].split()[0] for call in calls if "dump_states" in call]
    folder = "dump/features/merit-tiny"
    assert dumped == [f"{folder}/train", f"{folder}/dev", f"{folder}/dev_drawn"]  # clean speech is as ever
    heads = call_of(calls, "train_heads", "--train data/train_online")
    assert f" --dev_dump {folder}/dev_drawn" in heads and "--train_dump" not in heads
    clean = call_of(calls, "train_heads", "--train data/train ")
    assert f"--train_dump {folder}/train --dev_dump {folder}/dev " in clean
    assert recipe.run(*options).returncode == 0
    assert recipe.calls() == []


def test_the_noise_of_training_is_that_of_the_test_where_none_is_named(recipe: Recipe) -> None:
    options = ("--mix", "online", "--feats", "online", "--noise-seen", "crss=/crss", "--stop-stage", "2")
    assert recipe.run(*options).returncode == 0
    calls = recipe.calls()
    assert "make_babble" not in modules(calls)
    assert "--noises [crss=/crss] --snr=5 " in call_of(calls, "mix_online", "--part dev")


def test_another_number_of_talkers_is_that_of_all_babble(recipe: Recipe) -> None:
    options = ("--babble-talkers", "6", "--mix", "online", "--feats", "online", "--stop-stage", "2")
    assert recipe.run(*options).returncode == 0
    calls = recipe.calls()
    assert "--talkers 6" in call_of(calls, "make_babble") and "--talkers 6" in call_of(calls, "mix_online", "dev")
    assert recipe.run("--stop-stage", "2").returncode == 0
    assert "--talkers" not in call_of(recipe.calls(), "make_babble")


def test_data_preparation_alone_needs_no_noise(recipe: Recipe) -> None:
    assert recipe.run("--noise-seen", "crss=", "--stop-stage", "1").returncode == 0
    assert modules(recipe.calls()) == STAGES[0]
