"""egs/TEMPLATE/merit.sh: which commands the stages call, in which order, and when they stop or skip."""

import pytest
from recipe_stub import EVERYTHING, STAGES, Recipe, call_of, modules


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
