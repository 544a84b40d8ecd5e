"""egs/TEMPLATE/merit.sh: which commands the stages call, in which order, and when they stop or skip."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from recipe_stub import DATA, EVERYTHING, PYTHON, ROOT, STAGES, Recipe, call_of, modules


def test_all_stages_run_in_order_once_and_end_with_the_table(recipe: Recipe) -> None:
    result = recipe.run()
    assert result.returncode == 0, result.stderr
    calls = recipe.calls()
    assert modules(calls) == EVERYTHING
    probed = "[data/test_babble_0dB,data/test_wind_0dB,data/test_machine_0dB]"
    assert f"--data {probed}" in call_of(calls, "sparse_merit.probe_routing")
    assert result.stdout == "exp/sparse_merit-7/RESULTS.md\n\n## Scores\n\n| F1 |\n|---|\n| 0.5 |\n\n"
    again = recipe.run()
    assert again.returncode == 0 and again.stdout == result.stdout
    assert recipe.calls() == []


@pytest.mark.parametrize(
    "deleted, made_again",
    [
        ("dump/states/merit-tiny/dev_babble_5dB/header.json", ["dump_states"]),
        ("exp/sparse_merit-7/decode/test_wind_0dB/decode.json", ["decode"]),
        ("exp/sparse_merit-7/score/test_wind_0dB/emotion.csv", ["score"]),
        ("exp/sparse_merit-7/score/test_wind_0dB/enhancement.csv", ["score"]),
        ("dump/score_noisy/dev_babble_5dB/enhancement.csv", ["score"]),
    ],
)
def test_what_was_deleted_is_made_again(recipe: Recipe, deleted: str, made_again: list[str]) -> None:
    assert recipe.run().returncode == 0
    for name in ("test_wind_0dB", "dev_babble_5dB"):
        (recipe.folder / f"data/{name}/spk1.scp").touch()
    recipe.calls()
    (recipe.folder / deleted).unlink()
    assert recipe.run().returncode == 0
    assert modules(recipe.calls())[: len(made_again)] == made_again
    assert (recipe.folder / deleted).exists()
    assert recipe.run().returncode == 0
    assert recipe.calls() == []


def test_the_commands_are_given_what_the_options_say(recipe: Recipe) -> None:
    options = ("--ssl", "/models/WavLM-Large.pt", "--snr-train", "0", "--snrs-test", "-5 5", "--ngpu", "2")
    options += ("--noise-seen", "crss=/noise/crss", "--noise-unseen", "dns=/noise/dns", "--rir", "/rooms of SLR28")
    options += ("--seeds", "17", "--tag", "try", "--train-args", "--training.epochs 2")
    assert recipe.run(*options).returncode == 0
    calls = recipe.calls()
    assert "make_babble" not in modules(calls)
    assert sum(call.endswith("--rir '/rooms of SLR28' --nj 2") for call in calls) == 4
    assert "--part train --snrs [0]" in call_of(calls, "mix_noise", "--data data/train --noise crss=/noise/crss")
    for noise, fractions in (("crss=/noise/crss", "[0.8,0.1,0.1]"), ("dns=/noise/dns", "[0,0,1]")):
        test = call_of(calls, "mix_noise", f"--data data/test --noise {noise} ")
        assert f"--part test --snrs [-5,5] --fractions {fractions}" in test
    dump = call_of(calls, "dump_states", "--data data/dev_crss_0dB")
    assert "--output dump/states/WavLM-Large/dev_crss_0dB --statistics data/train_crss_0dB/waveform_stats.json" in dump
    for task, conf in (("emotion", "phase1_ser"), ("enhancement", "phase1_se")):
        call = call_of(calls, "train_heads", f"--{task} ./conf/{conf}.yaml --{task}.seeds [17]")
        assert "-m torch.distributed.run --standalone --nproc_per_node 2 -m merit.bin" in call
        assert "--classes [angry,happy,neutral,sad] --ssl /models/WavLM-Large.pt" in call
        assert (
            "--train_dump dump/states/WavLM-Large/train_crss_0dB --dev_dump dump/states/WavLM-Large/dev_crss_0dB"
            in call
        )
        assert call.endswith(f"--{task}.output exp/{conf}_try-17 --order_seed 17 --training.epochs 2")
    joint = call_of(calls, "train_joint")
    assert "--config ./conf/phase2.yaml --config ../TEMPLATE/conf/sparse_merit.yaml" in joint
    assert "--emotion_head exp/phase1_ser_try-17 --enhancement_head exp/phase1_se_try-17" in joint
    assert joint.endswith("--output exp/sparse_merit_try-17 --seed 17 --training.epochs 2")
    conditions = "[data/test_crss_-5dB,data/test_crss_5dB,data/test_dns_-5dB,data/test_dns_5dB,data/dev_crss_0dB]"
    for module in ("sparse_merit.decode", "sparse_merit.score"):
        assert f"--data {conditions}" in call_of(calls, module)
    of_test = conditions.replace(",data/dev_crss_0dB", "")
    assert f"--data {of_test}" in call_of(calls, "sparse_merit.probe_routing")  # there is no 0 dB in this test
    report = call_of(calls, "sparse_merit.report")
    assert "--noise_seen [crss] --command './run.sh --ssl /models/WavLM-Large.pt --snr-train 0" in report


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


def test_a_corpus_that_is_noisy_already_is_not_mixed(recipe: Recipe) -> None:
    assert recipe.run("--mixed", "true", "--methods", "se_only", "--stop-stage", "6").returncode == 0
    calls = recipe.calls()
    assert "mix_noise" not in modules(calls) and "make_babble" not in modules(calls)
    assert "--train data/train --dev data/dev" in call_of(calls, "train_joint")
    assert "--data [data/test,data/dev]" in call_of(calls, "sparse_merit.decode")


def test_work_keeps_everything_apart_from_the_recipe(recipe: Recipe) -> None:
    assert recipe.run("--work", "fold2", "--stop-stage", "5").returncode == 0
    calls = (recipe.folder / "fold2/calls").read_text()
    assert f"--config {recipe.folder}/conf/phase2.yaml" in calls
    assert (recipe.folder / "fold2/exp/sparse_merit-7/model.safetensors").exists()
    assert not (recipe.folder / "exp").exists() and not (recipe.folder / "data").exists()


def test_with_work_the_tables_still_find_the_recipes_own_methods(recipe: Recipe) -> None:
    (recipe.folder / "conf/wide.yaml").write_text("title: Wide\nmodel:\n  expert_size: 9\n")
    (recipe.folder / "fold2").mkdir()
    for module in ("report", "compare"):
        (recipe.folder / f"fold2/meanwhile_{module}").write_text(f'echo "$MERIT_METHODS" >{module}_methods')
    result = recipe.run("--work", "fold2", "--methods", "wide")
    assert result.returncode == 0, result.stderr
    for module in ("report", "compare"):
        assert (recipe.folder / f"fold2/{module}_methods").read_text() == f"{recipe.folder}/conf\n"


def test_a_recipe_can_have_a_method_of_its_own(recipe: Recipe) -> None:
    (recipe.folder / "conf/wide.yaml").write_text("model:\n  expert_size: 9\n  tasks: [emotion]\n")
    assert recipe.run("--methods", "wide", "--stop-stage", "5").returncode == 0
    calls = recipe.calls()
    assert modules(calls)[-2:] == ["train_heads", "train_joint"]
    assert "--config ./conf/wide.yaml" in calls[-1]


def test_what_a_method_is_stands_in_its_file(recipe: Recipe) -> None:
    """In any style of YAML; without a front end it has experts, whose gates are probed."""
    wide = recipe.folder / "conf/wide.yaml"
    wide.write_text("speech: clean\nmodel:\n  tasks:\n  - emotion # alone\n  expert_size: 9\n")
    assert recipe.run("--methods", "wide").returncode == 0
    calls = recipe.calls()
    assert modules(calls) == sum([*STAGES[:3], ["train_heads"], *STAGES[4:]], [])
    assert "--train data/train " in call_of(calls, "train_joint")
    assert "--model exp/wide-7 " in call_of(calls, "probe_routing")


def test_another_title_makes_new_tables_and_trains_nothing(recipe: Recipe) -> None:
    mine = recipe.folder / "conf/mine.yaml"
    text = "title: Mine\nmodel:\n  front_end: weighted_sum\n"
    mine.write_text(text)
    assert recipe.run("--methods", "mine").returncode == 0
    recipe.calls()
    mine.write_text(text.replace("Mine", "Better than theirs"))
    assert recipe.run("--methods", "mine").returncode == 0
    assert modules(recipe.calls()) == ["compare"]
    mine.write_text(text.replace("weighted_sum", "moe"))
    assert recipe.run("--methods", "mine").returncode == 0
    assert modules(recipe.calls())[0] == "train_joint"


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


@pytest.mark.parametrize("stop", ["--stop-stage", "--stop_stage"])
def test_only_the_stages_asked_for_run(recipe: Recipe, stop: str) -> None:
    assert recipe.run("--stage", "2", stop, "3").returncode == 0
    assert modules(recipe.calls()) == STAGES[1] + STAGES[2]
    assert recipe.run("--stage", "5", stop, "5").returncode == 0
    assert modules(recipe.calls()) == STAGES[4]


def test_a_failing_stage_stops_the_run_and_the_next_run_goes_on_there(recipe: Recipe) -> None:
    (recipe.folder / "fail").write_text("train_joint\n")
    result = recipe.run()
    assert result.returncode == 9 and "train_joint: no space" in result.stdout + result.stderr
    assert modules(recipe.calls()) == sum(STAGES[:5], [])
    (recipe.folder / "fail").unlink()
    assert recipe.run().returncode == 0
    assert modules(recipe.calls()) == sum(STAGES[4:], [])


def test_a_changed_configuration_repeats_what_depends_on_it(recipe: Recipe) -> None:
    recipe.run()
    recipe.calls()
    (recipe.folder / "conf/phase1_se.yaml").write_text("training:\n  epochs: 2\n")
    recipe.run()
    assert modules(recipe.calls()) == ["train_heads", *sum(STAGES[4:], [])]
    recipe.run("--seeds", "8")
    assert modules(recipe.calls()) == sum(STAGES[3:], [])


def test_data_preparation_alone_needs_no_noise(recipe: Recipe) -> None:
    assert recipe.run("--noise-seen", "crss=", "--stop-stage", "1").returncode == 0
    assert modules(recipe.calls()) == STAGES[0]


def test_the_tables_are_checked_and_a_change_by_hand_is_noticed(recipe: Recipe) -> None:
    recipe.run()
    validate = call_of(recipe.calls(), "validate_data_dir")
    assert validate.endswith("--data [data/train,data/dev,data/test] --classes [angry,happy,neutral,sad]")
    (recipe.folder / "data/dev/utt2emo").write_text("a-1 bored\n")
    (recipe.folder / "fail").write_text("validate_data_dir\n")
    assert recipe.run().returncode == 9
    assert modules(recipe.calls()) == ["validate_data_dir"]
    (recipe.folder / "fail").unlink()
    assert recipe.run().returncode == 0
    assert modules(recipe.calls()) == sum(STAGES[1:], [])


def test_labels_are_expected_where_a_method_recognises_emotions(recipe: Recipe) -> None:
    recipe.run("--methods", "se_only")
    assert call_of(recipe.calls(), "validate_data_dir").endswith("--data [data/train,data/dev,data/test]")
    recipe.run("--methods", "se_only se_p")
    assert call_of(recipe.calls(), "validate_data_dir").endswith("--classes [angry,happy,neutral,sad]")


def test_no_pipes_reaches_every_job_and_is_no_other_experiment(recipe: Recipe) -> None:
    recipe.python.write_text(PYTHON.replace('echo "$*" >>', 'echo "refused ${MERIT_NO_PIPES-}" >>jobs; echo "$*" >>'))
    data = recipe.folder / "local/data.sh"
    data.write_text(DATA + 'echo "refused ${MERIT_NO_PIPES-}" >>jobs\n')
    assert recipe.run("--no-pipes", "true").returncode == 0
    jobs = recipe.folder / "jobs"
    lines = [line for line in jobs.read_text().splitlines() if line.startswith("refused")]
    assert lines == ["refused true"] * len(lines) and len(lines) >= len(EVERYTHING)
    jobs.unlink()
    assert recipe.run("--stage", "3").returncode == 0
    assert not jobs.exists()


def test_the_environment_is_that_of_install_and_is_made_first(recipe: Recipe, tmp_path: Path) -> None:
    install = tmp_path / "tools/install.sh"
    install.parent.mkdir()
    install.write_text(f'#!/bin/sh\ncd "${{0%/*}}"\nmkdir -p venv\nprintf "sum\\n{recipe.python}\\n" >venv/installed\n')
    install.chmod(0o755)
    assert recipe.run("--stop-stage", "2", python=False).returncode == 0
    assert modules(recipe.calls()) == STAGES[0] + STAGES[1]
    install.write_text("#!/bin/sh\necho no compiler >&2\nexit 1\n")
    result = recipe.run(python=False)
    assert result.returncode == 1 and "no compiler" in result.stderr and recipe.calls() == []


def test_jobs_keep_few_kernels_of_past_lengths_unless_told_otherwise() -> None:
    names = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY", "OMP_WAIT_POLICY")
    command = f'. "{ROOT}/egs/TEMPLATE/common.sh"; export_environment; printenv {" ".join(names)}'
    for given, expected in (({}, "128 128 PASSIVE"), (dict.fromkeys(names, "9"), "9 9 9")):
        environment = {name: value for name, value in os.environ.items() if name not in names} | given
        result = subprocess.run(["bash", "-euc", command], env=environment, capture_output=True, text=True)
        assert result.stdout.split() == expected.split()


RECIPES = sorted(path.parent.name for path in (ROOT / "egs").glob("*/run.sh"))


@pytest.mark.parametrize("name", RECIPES)
def test_help_of_every_recipe(name: str) -> None:
    stages = re.search(r"/TEMPLATE/(\w+).sh", (ROOT / "egs" / name / "run.sh").read_text())[1]
    options = {
        "merit": ("--stop-stage 7", "--noise-unseen", "--classes", f"--{name.replace('_', '-')} "),
        "mos": ("--stop-stage 5", "--freeze-ssl", "--methods", f"--{name.replace('_', '-')} "),
        "smoe": ("--stop-stage 7", "--narrow-band", "--target-lang", f"--{name.replace('_', '-')} "),
        "common": ("--stop-stage 6", "--teacher", "--students"),  # its stages are its own
    }[stages]
    result = subprocess.run([str(ROOT / "egs" / name / "run.sh"), "--help"], cwd="/", capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for option in ("--stage 1", "--seeds", *options):
        assert f"\n  {option}" in result.stdout
    assert "shellcheck" not in result.stdout


def test_jobs_are_given_what_the_options_say_of_slurm(recipe: Recipe) -> None:
    options = ("--backend", "slurm", "--max-requeue", "5", "--orphan", "cancel", "--stop-stage", "3")
    assert recipe.run(*options).returncode == 0
    jobs = [line.partition(" -- ")[0] for line in (recipe.folder / "jobs").read_text().splitlines()]
    assert len(jobs) == len(sum(STAGES[:3], []))
    assert all("--backend slurm --slurm  --max_requeue 5 --orphan cancel" in job for job in jobs)
    for wrong in (["--max-requeue", "often"], ["--orphan", "forget"], ["--backend", "pbs"]):
        result = recipe.run(*wrong)
        assert result.returncode == 2 and f"not '{wrong[1]}'" in result.stderr
