"""All figures of an experiment, with their captions and the numbers behind the bars."""

import csv
import json
import logging

import pytest
from matplotlib.image import imread
from routing_folder import CONDITIONS, UTTERANCES, brute_force, write_history

from merit.data.audio import write_audio
from merit.data.datadir import write_data_directory, write_table
from merit.data.noise.mixed_names import parse_condition
from merit.errors import MeritError
from merit.systems.sparse_merit.figures.figures import write_figures
from merit.systems.sparse_merit.tables.comparison import compare_runs

ALL = list(map(parse_condition, CONDITIONS))


def test_all_figures_of_an_experiment(runs, experiment, tmp_path, make_speech, monkeypatch):
    monkeypatch.setattr("merit.report.figure_style.DPI", 100)  # faster
    for run in runs[1:]:
        write_history(run)
    condition = tmp_path / "data" / CONDITIONS[0]
    audio = {kind: {utt: tmp_path / f"{kind}.flac" for utt in UTTERANCES} for kind in ("noisy", "enhanced", "clean")}
    for seed, kind in enumerate(audio):
        write_audio(tmp_path / f"{kind}.flac", make_speech(0.4, seed))
    speakers, seconds = dict.fromkeys(UTTERANCES, "speaker"), dict.fromkeys(UTTERANCES, 0.4)
    write_data_directory(condition, audio["noisy"], speakers, utt2dur=seconds, **{"spk1.scp": audio["clean"]})
    write_table(runs[1].decoded(ALL[0]) / "wav.scp", audio["enhanced"])

    output = tmp_path / "figures"
    figures = write_figures(experiment, compare_runs(experiment, resamples=5), output)
    assert [figure.path.stem for figure in figures] == [
        "robustness_emotion",
        "robustness_enhancement",
        "expert_usage_snr_sparse_merit",
        "expert_usage_snr_sparse_merit_seeds",
        "expert_usage_emotion_sparse_merit",
        "expert_usage_emotion_sparse_merit_seeds",
        "expert_usage_training_sparse_merit",
        "routing_utterance_sparse_merit",
    ]
    for figure in figures:
        pixels = imread(figure.path)
        assert min(pixels.shape[:2]) > 200 and pixels[..., :3].std() > 0.01
        assert figure.path.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    captions = json.loads((output / "captions.json").read_text())
    assert captions == {figure.path.name: figure.caption for figure in figures}
    assert "seed 7: speaker-07, babble at -5 dB" in captions["routing_utterance_sparse_merit.png"]

    with (output / "expert_usage.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 3 * (2 + 3)  # seeds, gates, experts, SNRs and emotions
    wanted = {"method": "sparse_merit", "seed": "17", "by": "snr", "group": "-5", "gate": "enhancement", "expert": "2"}
    (row,) = [row for row in rows if row.items() >= wanted.items()]
    usage = brute_force(runs[2], lambda condition, utterance: condition.endswith("_-5dB"))[2]
    assert int(row["chosen"]) / int(row["frames"]) == pytest.approx(usage["enhancement"][2])


def test_an_utterance_without_clean_speech_is_named(runs, experiment, tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("merit.report.figure_style.DPI", 20)  # faster
    files = dict.fromkeys(UTTERANCES, tmp_path / "a.flac")
    seconds = dict.fromkeys(UTTERANCES, 0.4)
    directory = tmp_path / "data" / CONDITIONS[0]
    write_data_directory(directory, files, dict.fromkeys(UTTERANCES, "speaker"), utt2dur=seconds)
    write_table(directory / "spk1.scp", {"stranger": "b.flac"})
    with caplog.at_level(logging.INFO), pytest.raises(MeritError, match="spk1.scp: no utterance speaker-07"):
        write_figures(experiment, compare_runs(experiment, resamples=5), tmp_path / "figures")
    assert "sparse_merit-7: history.csv follows no routing, so its course is not drawn" in caplog.text
