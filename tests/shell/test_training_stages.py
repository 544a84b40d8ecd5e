"""egs/TEMPLATE/training.sh: which heads and models are trained on what, and what they share."""

from recipe_stub import STAGES, Recipe, call_of, modules


def test_methods_and_seeds_share_phase_1(recipe: Recipe) -> None:
    assert recipe.run("--methods", "ft_m ft_mtl sparse_merit", "--seeds", "7 17", "--stop-stage", "5").returncode == 0
    calls = recipe.calls()
    assert modules(calls) == sum(STAGES[:3], []) + ["train_heads"] * 4 + ["train_joint"] * 6
    assert "--enhancement_head" not in call_of(calls, "train_joint", "exp/ft_m-7")
    for method in ("ft_mtl", "sparse_merit"):
        call = call_of(calls, "train_joint", f"--output exp/{method}-17 ")
        assert "--emotion_head exp/phase1_ser-17 --enhancement_head exp/phase1_se-17" in call
    assert recipe.run("--methods", "dense_merit", "--seeds", "7", "--stop-stage", "5").returncode == 0
    assert modules(recipe.calls()) == ["train_joint"]


def test_original_is_trained_on_clean_speech_and_tested_on_noisy(recipe: Recipe) -> None:
    assert recipe.run("--methods", "original", "--stop-stage", "6").returncode == 0
    calls = recipe.calls()
    assert modules(calls) == sum(STAGES[:3], []) + ["train_heads", "train_joint", *STAGES[5]]
    head, joint = call_of(calls, "train_heads"), call_of(calls, "train_joint")
    assert "--train data/train --dev data/dev --train_dump dump/states/merit-tiny/train " in head
    assert "--train data/train --dev data/dev --emotion_head exp/phase1_ser_clean-7 --output exp/original-7" in joint
    assert (recipe.folder / "data/train/waveform_stats.json").exists()
    assert "--data [data/test_babble_-5dB," in call_of(calls, "sparse_merit.decode")
    assert recipe.run("--methods", "original", "--stop-stage", "6").returncode == 0
    assert recipe.calls() == []  # the statistics beside the tables are none of them


def test_se_p_hears_what_the_enhancer_of_the_first_seed_has_enhanced(recipe: Recipe) -> None:
    options = ("--methods", "se_p", "--seeds", "7 17", "--stop-stage", "6")
    assert recipe.run(*options).returncode == 0
    calls = recipe.calls()
    heads = ["train_heads"] * 2
    training = ["waveform_statistics", "dump_states", "dump_states", *heads, *["train_joint"] * 2]
    expected = ["train_heads", "train_joint", "enhance_data", *training, "enhance_data", *STAGES[5] * 2]
    assert modules(calls) == sum(STAGES[:3], []) + expected
    enhanced = "exp/se_only-7/enhanced"
    made = call_of(calls, "enhance_data", "train_babble")
    assert "--model exp/se_only-7 --data [data/train_babble_5dB,data/dev_babble_5dB]" in made
    joint = call_of(calls, "train_joint", "exp/se_p-17")
    assert f"--train {enhanced}/train_babble_5dB --dev {enhanced}/dev_babble_5dB" in joint
    assert "--emotion_head exp/phase1_ser_enhanced-17" in joint
    decode = call_of(calls, "sparse_merit.decode", "exp/se_p-17")
    assert f"--data [{enhanced}/test_babble_-5dB," in decode and decode.count("/dev_babble_5dB") == 1
    assert "--data [data/test_babble_-5dB," in call_of(calls, "sparse_merit.score", "exp/se_p-17")
    assert recipe.run(*options).returncode == 0
    assert recipe.calls() == []


def test_a_pretrained_enhancer_needs_no_phase_1(recipe: Recipe) -> None:
    options = ("--methods", "se_only", "--se-pretrain", "../vctk_demand/exp/se_only-7", "--stage", "1")
    assert recipe.run(*options, "--stop-stage", "5").returncode == 0
    calls = recipe.calls()
    assert "train_heads" not in modules(calls)
    assert "--pretrained ../vctk_demand/exp/se_only-7 --output exp/se_only-7" in call_of(calls, "train_joint")


def test_feats_online_dumps_nothing_and_trains_all_heads_at_once(recipe: Recipe) -> None:
    assert recipe.run("--feats", "online", "--seeds", "7 17").returncode == 0
    calls = recipe.calls()
    trained = ["train_heads", "train_joint", "train_joint"]
    assert modules(calls)[: -len(STAGES[6]) - 7] == sum([*STAGES[:2], ["waveform_statistics"], trained], [])
    assert not any("states" in call for call in calls)
    heads = call_of(calls, "train_heads")
    assert "--emotion ./conf/phase1_ser.yaml --emotion.seeds [7,17] --emotion.output exp/phase1_ser-{seed}" in heads
    assert "--enhancement ./conf/phase1_se.yaml --enhancement.seeds [7,17] --enhancement.output exp/phase1_se-" in heads
    assert "--classes [angry,happy,neutral,sad] --ssl merit-tiny --train data/train_babble_5dB" in heads
    for seed in (7, 17):
        heads_of_seed = f"--emotion_head exp/phase1_ser-{seed} --enhancement_head exp/phase1_se-{seed}"
        assert heads_of_seed in call_of(calls, "train_joint", f"exp/sparse_merit-{seed} ")
    assert recipe.run("--feats", "online", "--seeds", "7 17").returncode == 0
    assert recipe.calls() == []


def test_features_are_dumped_and_the_encoder_goes_on_from_them(recipe: Recipe) -> None:
    assert recipe.run("--feats", "features", "--stop-stage", "4", "--train-args", "--training.epochs 2").returncode == 0
    calls = recipe.calls()
    assert modules(calls) == sum(STAGES[:3], []) + ["train_heads"]
    for name in ("train", "dev"):
        dump = call_of(calls, "dump_states", f"--data data/{name}_babble_5dB")
        assert f"--output dump/features/merit-tiny/{name}_babble_5dB" in dump and "--content features" in dump
    heads = call_of(calls, "train_heads")
    assert "--train_dump dump/features/merit-tiny/train_babble_5dB" in heads
    assert "--dev_dump dump/features/merit-tiny/dev_babble_5dB" in heads
    assert heads.endswith("--training.epochs 2")


def test_heads_that_share_a_forward_pass_are_made_when_missing_or_changed(recipe: Recipe) -> None:
    online = ("--feats", "online", "--stop-stage", "5")
    recipe.run(*online, "--methods", "ft_m")
    assert "--enhancement" not in call_of(recipe.calls(), "train_heads")
    recipe.run(*online, "--methods", "ft_m sparse_merit")  # one more method
    calls = recipe.calls()
    assert modules(calls) == ["train_heads", "train_joint"]
    assert "--emotion.seeds" not in calls[0] and "--enhancement.seeds [7]" in calls[0]
    recipe.run(*online, "--methods", "ft_m sparse_merit", "--seeds", "7 17")  # one more seed
    calls = recipe.calls()
    assert modules(calls) == ["train_heads", "train_joint", "train_joint"]
    assert "--emotion.seeds [17]" in calls[0] and "--enhancement.seeds [17]" in calls[0]
    assert not [call for call in calls if "-7" in call]
    (recipe.folder / "conf/phase1_se.yaml").write_text("training:\n  epochs: 2\n")
    (recipe.folder / "fail").write_text("train_heads\n")
    assert recipe.run(*online, "--methods", "ft_m sparse_merit", "--seeds", "7 17").returncode == 9
    failed = recipe.calls()
    assert modules(failed) == ["train_heads"]
    (recipe.folder / "fail").unlink()
    recipe.run(*online, "--methods", "ft_m sparse_merit", "--seeds", "7 17")
    calls = recipe.calls()
    assert calls[:1] == failed and "--enhancement.seeds [7,17]" in calls[0] and "--emotion" not in calls[0]
    assert modules(calls) == ["train_heads", "train_joint", "train_joint"]  # of sparse_merit alone


def test_each_kind_of_speech_has_its_forward_pass(recipe: Recipe) -> None:
    options = ("--feats", "online", "--methods", "original se_p sparse_merit", "--seeds", "17 7", "--stop-stage", "5")
    assert recipe.run(*options).returncode == 0
    calls = [call for call in recipe.calls() if "train_heads" in call]
    assert len(calls) == 3
    clean, noisy, enhanced = calls
    assert "--train data/train --dev" in clean and "--emotion.seeds [17,7]" in clean and "--enhancement" not in clean
    assert "exp/phase1_ser_clean-{seed}" in clean
    assert "--emotion.seeds [17,7]" in noisy and "--enhancement.seeds [17,7]" in noisy
    assert "--train exp/se_only-17/enhanced/train_babble_5dB" in enhanced and "--emotion.seeds [17,7]" in enhanced
    assert "exp/phase1_ser_enhanced-{seed}" in enhanced
