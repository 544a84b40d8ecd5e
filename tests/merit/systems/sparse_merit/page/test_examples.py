"""Which utterances are listened to, and that nothing of their sound is lost."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from listened_experiment import ALL
from routing_folder import CONDITIONS, UTTERANCES, make_run, write_csv

from merit.data.datadir import write_table
from merit.errors import MeritError
from merit.metrics.enhancement.measures import MEASURES
from merit.systems.sparse_merit.page.examples import enhancing_runs, flac, in_turns, worst_examples


def read(path):
    with path.open() as file:
        return {row["utt"]: row for row in csv.DictReader(file)}


def test_examples_are_the_most_certain_mistake_and_the_least_gain_of_every_condition(listened):
    run = listened.runs[1]
    emotion, enhancement = worst_examples(listened.experiment, run, 2)
    assert [example.condition for example in emotion] == [example.condition for example in enhancement] == ALL
    for condition, wrong, weak in zip(ALL, emotion, enhancement):
        rows = read(run.score(condition) / "emotion.csv")
        margins = {}
        for utt, row in rows.items():
            true = float(row[row["reference"]])
            margins[utt] = (
                max(float(row[name]) for name in ("angry", "happy", "sad") if name != row["reference"]) - true
            )
        assert wrong.utterance == max(margins, key=margins.get)
        assert wrong.emotion.margin == pytest.approx(margins[wrong.utterance])
        assert wrong.emotion.hypothesis == rows[wrong.utterance]["hypothesis"] != wrong.emotion.reference
        before, after = (
            {utt: float(row["SSNR"]) for utt, row in read(folder / "enhancement.csv").items()}
            for folder in (listened.experiment.noisy / condition.name, run.score(condition))
        )
        gains = {utt: after[utt] - before[utt] for utt in after if utt != wrong.utterance}
        assert weak.utterance == min(gains, key=gains.get)
        assert weak.scores["SSNR"] == (before[weak.utterance], after[weak.utterance])


@pytest.mark.parametrize("count", [0, 1, 3, 15, 40])
def test_every_condition_gives_as_many_examples_as_asked_for(listened, count):
    kinds = worst_examples(listened.experiment, listened.runs[1], count)
    for condition in ALL:
        taken = [example.utterance for kind in kinds for example in kind if example.condition == condition]
        assert len(taken) == len(set(taken)) == min(count, len(UTTERANCES))


def test_a_tight_budget_drops_the_second_examples_first(listened):
    ordered = in_turns(worst_examples(listened.experiment, listened.runs[1], 2))
    assert {example.condition for example in ordered[:4]} == {example.condition for example in ordered[4:]} == set(ALL)


def test_undefined_scores_are_no_weak_enhancement(listened, tmp_path):
    run = make_run(tmp_path, conditions=CONDITIONS[:1], heads=("enhancement",))
    write_table(run.decoded(ALL[0]) / "wav.scp", dict.fromkeys(UTTERANCES, "a.flac"))
    rows = [[utt, *["nan"] * len(MEASURES)] for utt in UTTERANCES]
    rows[7] = [rows[7][0], *["-5"] * len(MEASURES)]
    write_csv(run.score(ALL[0]) / "enhancement.csv", ("utt", *MEASURES), rows)
    emotion, (weak,) = worst_examples(replace(listened.experiment, conditions=tuple(ALL[:1])), run, 1)
    assert emotion == [] and weak.utterance == rows[7][0] and weak.emotion is None


def test_sound_is_kept_bit_by_bit(listened):
    entry = str(listened.root / "clean" / "speaker-03.flac")
    content, seconds = flac(entry, "speaker-03")
    found, rate = soundfile.read(io.BytesIO(content), dtype="int16")
    assert rate == 16000 and seconds == pytest.approx(len(found) / 16000) == pytest.approx(0.36)
    assert np.array_equal(found, soundfile.read(entry, dtype="int16")[0])


def test_missing_audio_is_named(listened, tmp_path):
    run = make_run(tmp_path, conditions=CONDITIONS[:1])
    write_table(run.decoded(ALL[0]) / "wav.scp", {"speaker-00": "a.flac"})
    with pytest.raises(MeritError, match="scores of speaker-01"):
        worst_examples(replace(listened.experiment, conditions=tuple(ALL[:1])), run, 1)


def test_the_first_run_of_a_method_that_enhances_is_listened_to(listened):
    assert enhancing_runs(listened.runs) == {"sparse_merit": listened.runs[1]}
