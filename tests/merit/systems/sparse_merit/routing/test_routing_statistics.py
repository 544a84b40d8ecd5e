"""Counts against plain Python, frame by frame."""

import numpy as np
import pytest
from routing_folder import CLASSES, CONDITIONS, TASKS, UTTERANCES, brute_force, make_run

from merit.data.noise.mixed_names import parse_condition
from merit.errors import MeritError
from merit.systems.sparse_merit.results.experiment import open_experiment
from merit.systems.sparse_merit.results.run_files import write_routing
from merit.systems.sparse_merit.routing.routing_statistics import (
    by_emotion,
    by_snr,
    count_routing,
    count_run,
    count_test,
    routes,
    total,
)

ALL = list(map(parse_condition, CONDITIONS))


def agrees(counts, expected):
    switching, agreement, usage = expected
    for task in TASKS:
        assert counts.switching_rate(task) == pytest.approx(switching[task], abs=1e-12)
        found = dict(enumerate(counts.usage(task)))
        assert found == pytest.approx({n: usage[task].get(n, 0.0) for n in found}, abs=1e-12)
    assert counts.agreement == pytest.approx(agreement, abs=1e-12)


def test_one_utterance_by_hand():
    counts = count_routing(TASKS, 3, [np.array([[0, 0, 1, 1], [0, 2, 1, 1]])])
    assert (counts.frames, counts.pairs, counts.agreement) == (4, 3, 0.75)
    assert counts.switches.tolist() == [1, 2]
    assert [counts.chosen(task).tolist() for task in TASKS] == [[2, 2, 0], [1, 2, 1]]
    assert counts.switching_rate("enhancement") == pytest.approx(2 / 3)


def test_no_switch_from_one_utterance_to_the_next():
    counts = count_routing(TASKS, 2, [np.array([[0], [1]]), np.array([[1], [0]]), np.array([[0, 0], [1, 1]])])
    assert (counts.frames, counts.pairs) == (4, 1)
    assert counts.switches.tolist() == [0, 0]


def test_utterances_of_one_frame_have_no_switching_rate():
    assert np.isnan(count_routing(TASKS, 2, [np.array([[0], [1]])]).switching_rate("emotion"))


def test_by_snr_over_all_noises(tmp_path):
    run = make_run(tmp_path)
    found = by_snr(count_run(run, ALL))
    assert list(found) == [-5.0, 5.0]
    for snr, counts in found.items():
        agrees(counts, brute_force(run, lambda condition, utterance, end=f"_{snr:g}dB": condition.endswith(end)))


def test_by_emotion_over_all_conditions(tmp_path):
    run = make_run(tmp_path, num_experts=5)
    found = by_emotion(count_run(run, ALL))
    assert tuple(found) == CLASSES
    for emotion, counts in found.items():
        agrees(counts, brute_force(run, lambda condition, utterance, own=emotion: UTTERANCES[utterance] == own))


def test_total_is_over_frames_and_not_over_conditions(tmp_path):
    run = make_run(tmp_path)
    counts = count_run(run, ALL)
    agrees(total(counts.values()), brute_force(run, lambda condition, utterance: True))
    assert total(counts.values()).chosen("emotion").sum() == sum(found.frames for found in counts.values())


def test_the_clean_test_comes_first_and_stays_apart(tmp_path):
    run = make_run(tmp_path, conditions=("test_wind_0dB", "test"))
    found = by_snr(count_run(run, map(parse_condition, ("test_wind_0dB", "test"))))
    assert list(found) == [None, 0.0]
    agrees(found[None], brute_force(run, lambda condition, utterance: condition == "test"))


def test_a_model_without_emotions_is_counted_by_snr_alone(tmp_path):
    run = make_run(tmp_path, heads=("enhancement",))
    counts = count_run(run, ALL)
    assert by_emotion(counts) == {} and len(by_snr(counts)) == 2
    assert np.isnan(total(counts.values()).agreement)


def test_only_models_whose_gates_have_a_choice_route(tmp_path):
    runs = [
        make_run(tmp_path),
        make_run(tmp_path, "ft_mtl", routed=False),
        make_run(tmp_path, "sparse_merit_n1", num_experts=1),
    ]
    assert [routes(run) for run in runs] == [True, False, False]
    assert list(count_test(open_experiment(runs))) == runs[:1]


def test_an_expert_that_is_never_chosen_is_there_with_zero(tmp_path):
    run = make_run(tmp_path, conditions=CONDITIONS[:1])
    experts = {utterance: np.zeros((2, 4), dtype=int) for utterance in UTTERANCES}
    write_routing(run.decoded(ALL[0]) / "routing.npz", TASKS, experts)
    counts = total(count_run(run, ALL[:1]).values())
    assert counts.usage("emotion").tolist() == [1.0, 0.0, 0.0]


def test_what_does_not_go_together_is_named(tmp_path):
    run = make_run(tmp_path, conditions=CONDITIONS[:1])
    path = run.decoded(ALL[0]) / "routing.npz"
    with pytest.raises(MeritError, match="test_wind_5dB.routing.npz: not there"):
        count_run(run, ALL[3:])
    write_routing(path, TASKS, {utterance: np.full((2, 3), 3) for utterance in UTTERANCES})
    with pytest.raises(MeritError, match="names expert 3 of a model with 3"):
        count_run(run, ALL[:1])
    write_routing(path, TASKS, {"stranger": np.zeros((2, 3), dtype=int)})
    with pytest.raises(MeritError, match="16 utterances are in this file or in"):
        count_run(run, ALL[:1])
    (run.directory / "config.json").write_text("{}")
    with pytest.raises(MeritError, match="not the configuration of a trained model"):
        count_run(run, ALL[:1])
