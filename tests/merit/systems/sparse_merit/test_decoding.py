"""Decoding of test conditions: what is written, exactness of batches, resuming, errors."""

import csv
import json

import numpy as np
import pytest
import soundfile

from merit.bin.sparse_merit.decode import decode
from merit.data.audio import write_audio
from merit.data.datadir import read_table, write_data_directory
from merit.errors import MeritError
from merit.systems.sparse_merit.inference import Merit
from merit.systems.sparse_merit.results.run_files import read_routing

SECONDS = (0.5, 2.2, 0.03, 1.1, 21.0, 0.7)  # one longer than a piece


@pytest.fixture
def conditions(tmp_path, make_speech):
    """Two conditions with the same utterances; the second has no utt2dur."""
    found = []
    for condition, name in enumerate(("test_babble_0dB", "test_babble_5dB")):
        wav = {f"utt{i}": tmp_path / "dump" / name / f"utt{i}.flac" for i in range(len(SECONDS))}
        for i, (seconds, path) in enumerate(zip(SECONDS, wav.values())):
            write_audio(path, make_speech(seconds, 10 * condition + i))
        durations = None if condition else {f"utt{i}": seconds for i, seconds in enumerate(SECONDS)}
        write_data_directory(tmp_path / "data" / name, wav, dict.fromkeys(wav, "speaker"), utt2dur=durations)
        found.append(tmp_path / "data" / name)
    return found


def test_decoded_in_batches_is_what_each_utterance_gives_alone(model_directory, conditions, tmp_path):
    output = tmp_path / "decode"
    decode(model_directory, conditions, output, batch_seconds=5, device="cpu", precision="float32")
    merit = Merit.from_pretrained(model_directory, "cpu", "float32")
    for data in conditions:
        found = output / data.name
        enhanced, emotions = read_table(found / "wav.scp"), read_table(found / "utt2emo")
        with (found / "posteriors.csv").open() as file:
            posteriors = {row.pop("utt"): row for row in csv.DictReader(file)}
        tasks, experts = read_routing(found / "routing.npz")
        noisy = read_table(data / "wav.scp")
        assert tasks == ["emotion", "enhancement"]
        assert list(enhanced) == list(emotions) == list(posteriors) == sorted(experts) == list(noisy)
        for utterance, path in noisy.items():
            expected = merit(*soundfile.read(path))
            assert enhanced[utterance] == str(found / "audio" / f"{utterance}.flac")
            assert np.abs(soundfile.read(enhanced[utterance])[0] - expected.enhanced).max() < 0.6 / 32768
            assert emotions[utterance] == max(expected.emotion, key=expected.emotion.get)
            values = {name: float(value) for name, value in posteriors[utterance].items()}
            assert values == pytest.approx(expected.emotion, abs=2e-6)
            assert experts[utterance].dtype == np.uint8
            for found_experts, task in zip(experts[utterance], tasks):
                assert np.array_equal(found_experts, expected.routing[task].argmax(axis=1))


def written_at(output):
    return {file: file.stat().st_mtime_ns for file in output.rglob("*") if file.is_file()}


def test_complete_conditions_are_skipped_until_something_changes(
    model_directory, identity_directory, conditions, tmp_path, make_speech
):
    output = tmp_path / "decode"
    first, second = (output / data.name for data in conditions)

    def run(model=model_directory):
        decode(model, conditions, output, device="cpu")

    run()
    before = written_at(output)
    run()
    assert written_at(output) == before

    (second / "decode.json").write_text("[]")  # of whatever made it
    run()
    assert json.loads((second / "decode.json").read_text())["utterances"] == len(SECONDS)

    before = written_at(output)
    (second / "decode.json").unlink()  # as a killed run leaves it
    run()
    assert all(time == before[file] for file, time in written_at(first).items())
    assert all(time != before[file] for file, time in written_at(second).items())

    before = written_at(output)
    write_audio(read_table(conditions[0] / "wav.scp")["utt0"], make_speech(0.6, 99))
    run()
    assert all(time != before[file] for file, time in written_at(first).items())
    assert all(time == before[file] for file, time in written_at(second).items())
    assert soundfile.info(first / "audio" / "utt0.flac").frames == 9600

    run(identity_directory)
    noisy = soundfile.read(read_table(conditions[1] / "wav.scp")["utt1"])[0]
    assert np.abs(soundfile.read(second / "audio" / "utt1.flac")[0] - noisy).max() < 1e-4
    assert json.loads((second / "decode.json").read_text())["utterances"] == len(SECONDS)


def test_a_decode_in_another_precision_or_on_another_device_is_made_again(save_model, conditions, tmp_path, caplog):
    model, output = save_model(precision="bfloat16"), tmp_path / "decode"
    first, second = (output / data.name for data in conditions)

    def run(**options):
        """The conditions that were decoded now, and the probabilities of the first one."""
        before = written_at(output)
        decode(model, conditions, output, device="cpu", **options)
        changed = {file.parent for file, time in written_at(output).items() if time != before.get(file)}
        return changed & {first, second}, (first / "posteriors.csv").read_text()

    decoded, trained = run()
    assert decoded == {first, second}
    made = json.loads((first / "decode.json").read_text())
    assert (made["precision"], made["device"]) == ("bfloat16", "cpu")
    assert run(precision="bfloat16") == (set(), trained) and caplog.text == ""
    decoded, other = run(precision="float32")
    assert decoded == {first, second} and other != trained
    assert caplog.text.count("trained in bfloat16 and is used in float32") == 1
    assert run() == ({first, second}, trained)

    (first / "decode.json").write_text(json.dumps(made | {"device": "cuda"}))
    assert run() == ({first}, trained)
    (second / "decode.json").write_text(json.dumps({name: made[name] for name in ("weights", "data", "utterances")}))
    assert run()[0] == {second}  # as before it was kept


@pytest.mark.parametrize("task", ["emotion", "enhancement"])
def test_models_with_one_head_write_its_part(save_model, model_directory, conditions, tmp_path, task):
    if task == "enhancement":  # over the results of a model with both heads
        decode(model_directory, conditions[:1], tmp_path / "decode")
    decode(save_model(tasks=(task,), front_end="weighted_sum"), conditions[:1], tmp_path / "decode")
    names = {file.name for file in (tmp_path / "decode" / conditions[0].name).iterdir()}
    expected = {"emotion": {"utt2emo", "posteriors.csv"}, "enhancement": {"audio", "wav.scp"}}
    assert names == {"decode.json", *expected[task]}


def test_errors_name_the_utterance_and_keep_finished_conditions(model_directory, conditions, tmp_path, make_speech):
    output = tmp_path / "decode"
    path = read_table(conditions[1] / "wav.scp")["utt3"]
    write_audio(path, make_speech(0.02))
    with pytest.raises(MeritError, match="utt3.*320 samples"):
        decode(model_directory, conditions, output)
    assert (output / conditions[0].name / "decode.json").exists()
    assert not (output / conditions[1].name / "decode.json").exists()
    with open(path, "wb") as file:
        file.write(b"damaged")
    with pytest.raises(MeritError, match="utt3"):
        decode(model_directory, conditions, output)


@pytest.mark.parametrize("utterance", ["utt3", "utt4"])  # in a batch, and in pieces
def test_a_result_that_is_not_finite_names_the_file_and_is_not_written(
    model_directory, conditions, tmp_path, make_speech, utterance
):
    path = tmp_path / "huge.wav"
    soundfile.write(path, 1e30 * make_speech(SECONDS[int(utterance[3])]), 16000, subtype="FLOAT")
    wav = read_table(conditions[0] / "wav.scp") | {utterance: str(path)}
    (conditions[0] / "wav.scp").write_text("".join(f"{key} {entry}\n" for key, entry in wav.items()))
    with pytest.raises(MeritError, match=f"{utterance}: {path}: the model gives NaN or infinity"):
        decode(model_directory, conditions[:1], tmp_path / "decode")
    found = tmp_path / "decode" / conditions[0].name
    assert not (found / "audio" / f"{utterance}.flac").exists()
    assert [file for file in found.glob("*") if file.is_file()] == []


def test_bad_options_are_refused(model_directory, conditions, tmp_path):
    with pytest.raises(MeritError, match="two directories are called test_babble_0dB"):
        decode(model_directory, [conditions[0], conditions[0]], tmp_path)
    with pytest.raises(MeritError, match="expected the directory of a trained model"):
        decode(tmp_path, conditions, tmp_path)
    with pytest.raises(MeritError, match="absent/wav.scp"):
        decode(model_directory, [tmp_path / "absent"], tmp_path)
