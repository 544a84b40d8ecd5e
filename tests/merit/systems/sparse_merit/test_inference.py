"""A trained model for people: against the network called directly, and signals in pieces against whole ones."""

import json

import numpy as np
import pytest
import soundfile
import torch

from merit.data.audio import resample
from merit.device import precision_of_use
from merit.errors import MeritError
from merit.nets.spectrum import waveform_from_log_magnitude
from merit.systems.sparse_merit.description import load_model
from merit.systems.sparse_merit.inference import Merit
from merit.systems.sparse_merit.result import join_pieces, mean_emotion

WHISPER = {
    "model_type": "whisper",
    "d_model": 16,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 24,
    "num_mel_bins": 80,
}


@pytest.fixture(scope="module")
def merit(model_directory):
    return Merit.from_pretrained(model_directory, device="cpu", precision="float32")


@pytest.fixture(scope="module")
def identity(identity_directory):
    return Merit.from_pretrained(identity_directory, device="cpu", precision="float32", piece_seconds=3)


def assert_same(found, expected, tolerance=1e-5):
    assert np.abs(found.enhanced - expected.enhanced).max() < tolerance
    assert found.emotion == pytest.approx(expected.emotion, abs=tolerance)
    assert found.routing.keys() == expected.routing.keys()
    for task, weights in expected.routing.items():
        assert np.abs(found.routing[task] - weights).max() < tolerance


def test_result_is_that_of_the_network(merit, model_directory, make_speech):
    samples = make_speech(1.23)
    result = merit(samples, 16000)

    network, description = load_model(model_directory)
    mean, std = description.statistics.mean, description.statistics.std
    with torch.no_grad():
        output = network(torch.from_numpy((samples - mean) / std).unsqueeze(0), torch.tensor([len(samples)]))
    clean = waveform_from_log_magnitude(output.enhanced[0], output.noisy_spectrum[0], len(samples)) * std + mean
    assert result.enhanced.dtype == np.float32 and result.sample_rate == 16000
    assert np.abs(result.enhanced - clean.numpy()).max() < 1e-6
    assert list(result.emotion) == description.classes
    likelihoods = output.emotion[0].exp()
    assert list(result.emotion.values()) == pytest.approx((likelihoods / likelihoods.sum()).tolist())
    assert sum(result.emotion.values()) == pytest.approx(1)
    assert list(result.routing) == ["emotion", "enhancement"]
    for gate in output.routing:
        assert np.allclose(result.routing[gate.name], gate.weights[0].numpy())
    assert result.routing["emotion"].shape == ((len(samples) - 400) // 320 + 1, 3)


def test_kinds_of_waveforms(merit, make_speech):
    integers = np.rint(make_speech(0.5) * 32768).astype(np.int16)
    samples = integers / 32768
    expected = merit(samples.astype(np.float32), 16000)
    assert_same(merit(samples, 16000), expected)
    assert_same(merit(integers, 16000), expected)
    assert_same(merit(integers.astype(np.int32) * 65536, 16000), expected)
    assert_same(merit(torch.from_numpy(samples), 16000), expected)
    assert_same(merit(torch.from_numpy(integers), 16000), expected)
    assert_same(merit(np.stack([1.5 * samples, 0.5 * samples]), 16000), expected)


def test_any_rate_comes_out_at_16_khz(merit, make_speech):
    samples = make_speech(1.0)
    result = merit(samples, 44100)
    assert len(result.enhanced) == -(-len(samples) * 160 // 441)
    assert_same(result, merit(resample(samples, 44100), 16000))


@pytest.mark.parametrize(
    ("waveform", "rate", "message"),
    [
        (np.zeros(0, dtype=np.float32), 16000, "no samples"),
        (np.full(16000, np.nan), 16000, "NaN"),
        (np.full(16000, np.inf, dtype=np.float32), 16000, "infinite"),
        (np.zeros(399), 16000, "expected at least 400"),
        (np.zeros(799), 48000, "expected at least 400"),
        (np.zeros((16000, 2)), 16000, "(channels, samples)"),
        (np.zeros((1, 2, 16000)), 16000, "(channels, samples)"),
        (np.zeros(16000, dtype=np.int64), 16000, "int64"),
        (np.zeros(16000), 0, "sample rate"),
        (np.zeros(16000), 44100.5, "sample rate"),
    ],
)
def test_bad_waveforms_are_refused(merit, waveform, rate, message):
    with pytest.raises(MeritError) as error:
        merit(waveform, rate)
    assert message in str(error.value)


def test_shortest_signal(merit, make_speech):
    result = merit(make_speech(1)[:400], 16000)
    assert len(result.enhanced) == 400 and len(result.routing["emotion"]) == 1


def test_silence_stays_silent(merit):
    result = merit(np.zeros(20000, dtype=np.float32), 16000)
    assert np.abs(result.enhanced).max() < 2e-4  # twice the mean that the normalisation takes away
    assert np.isfinite(list(result.emotion.values())).all()


def test_batch_equals_one_by_one(merit, make_speech):
    waveforms = [make_speech(seconds, seed) for seed, seconds in enumerate((0.5, 1.71, 0.025, 1.2))]
    for found, samples in zip(merit.batch(waveforms), waveforms):
        assert len(found.enhanced) == len(samples)
        assert_same(found, merit(samples, 16000))


@pytest.mark.parametrize("seconds", [2.99, 3.0, 3.0001, 4.5, 5.0, 5.0001, 9.3])
def test_pieces_join_without_a_seam(identity, make_speech, seconds):
    samples = make_speech(seconds)
    result = identity(samples, 16000)
    assert len(result.enhanced) == len(samples)
    assert np.abs(result.enhanced - samples).max() < 1e-5
    for weights in result.routing.values():
        assert len(weights) == (len(samples) - 400) // 320 + 1


def test_pieces_are_averaged_and_change_over_in_the_overlap(merit, model_directory, make_speech):
    samples = make_speech(4.5)
    pieces = list(Merit.from_pretrained(model_directory, "cpu", "float32", piece_seconds=3).pieces([samples]))
    joined = join_pieces(pieces)
    assert [(piece.start, piece.stop) for piece in pieces] == [(0, 48000), (32000, 72000)]
    first, second = merit(samples[:48000], 16000), merit(samples[32000:], 16000)
    sad = (48 * first.emotion["sad"] + 40 * second.emotion["sad"]) / 88
    assert joined.emotion["sad"] == pytest.approx(sad, abs=1e-5)
    assert mean_emotion(pieces) == joined.emotion
    for task in ("emotion", "enhancement"):
        expected = np.concatenate([first.routing[task][:125], second.routing[task][25:]])
        assert np.abs(joined.routing[task] - expected).max() < 1e-5
    # The clean speech of a piece alone up to the overlap and after it, half of each in its middle.
    assert np.abs(joined.enhanced[:32000] - first.enhanced[:32000]).max() < 1e-6
    assert np.abs(joined.enhanced[48000:] - second.enhanced[16000:]).max() < 1e-6
    middle = slice(39990, 40010)
    half = (first.enhanced[middle] + second.enhanced[39990 - 32000 : 40010 - 32000]) / 2
    assert np.abs(joined.enhanced[middle] - half).max() < 1e-3 * np.abs(half).max()


@pytest.mark.parametrize("rate", [16000, 44100])
def test_file_equals_array(merit, model_directory, make_speech, tmp_path, rate):
    merit = Merit.from_pretrained(model_directory, "cpu", "float32", piece_seconds=5)
    integers = np.rint(make_speech(12.7 * rate / 16000) * 32768).astype(np.int16)
    soundfile.write(tmp_path / "in.wav", integers, rate)
    expected = merit(integers, rate)
    pieces = list(merit.enhance_file(tmp_path / "in.wav", tmp_path / "out.flac"))
    written, written_rate = soundfile.read(tmp_path / "out.flac", dtype="float32")
    assert written_rate == 16000 and len(written) == len(expected.enhanced) == -(-len(integers) * 16000 // rate)
    assert np.abs(written - expected.enhanced).max() < 0.6 / 32768
    assert_same(join_pieces(pieces), expected)
    recognised = list(merit.recognise_file(tmp_path / "in.wav"))
    assert mean_emotion(recognised) == pytest.approx(expected.emotion, abs=1e-5)
    assert all(piece.result.enhanced is None for piece in recognised)


def test_errors_of_a_file_name_it_and_leave_no_output(merit, tmp_path):
    soundfile.write(tmp_path / "short.wav", np.zeros(300), 16000)
    with pytest.raises(MeritError, match="short.wav.*300 samples"):
        list(merit.enhance_file(tmp_path / "short.wav", tmp_path / "out" / "short.wav"))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("trained", ["float32", "bfloat16"])
def test_a_model_is_used_in_the_precision_of_its_training(save_model, make_speech, caplog, monkeypatch, trained):
    directory, samples = save_model(precision=trained), make_speech(1.0)
    other = "float32" if trained == "bfloat16" else "bfloat16"
    # What is fast here is of no matter.
    monkeypatch.setattr("merit.device.has_fast_bfloat16", lambda device: trained == "float32")
    used = Merit.from_pretrained(directory, "cpu")
    assert used.precision == trained
    same = Merit.from_pretrained(directory, "cpu", trained)(samples, 16000)
    assert np.array_equal(used(samples, 16000).enhanced, same.enhanced) and caplog.records == []
    different = Merit.from_pretrained(directory, "cpu", other)
    assert different.precision == other and not np.array_equal(different(samples, 16000).enhanced, same.enhanced)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message.startswith(f"the model was trained in {trained} and is used in {other}")


def test_float16_is_used_on_gpus_alone(save_model, caplog):
    assert precision_of_use("auto", "float16", torch.device("cuda")) == "float16"
    assert precision_of_use("auto", "bfloat16", torch.device("mps")) == "float32"
    assert Merit.from_pretrained(save_model(precision="float16"), "cpu").precision == "float32"
    assert "the model was trained in float16 and is used in float32" in caplog.text


@pytest.mark.parametrize(("fast", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_a_model_that_does_not_say_its_precision_is_used_in_the_fast_one(
    save_model, caplog, monkeypatch, fast, precision
):
    directory = save_model()
    config = json.loads((directory / "config.json").read_text())
    del config["description"]["precision"]  # as before it was kept
    (directory / "config.json").write_text(json.dumps(config))
    monkeypatch.setattr("merit.device.has_fast_bfloat16", lambda device: fast)
    assert Merit.from_pretrained(directory, "cpu").precision == precision and caplog.records == []


def test_a_result_that_is_not_finite_is_an_error_that_names_the_signal(merit, make_speech, tmp_path):
    message = "NaN or infinity in the clean speech, the emotion, the routing of emotion, the routing of enhancement"
    huge = make_speech(1.0) * np.float32(1e30)
    with pytest.raises(MeritError, match=f"waveform: .*{message}.* largest sample is 4.37e[+]29"):
        merit(huge, 16000)
    with pytest.raises(MeritError, match="second: "):
        merit.batch([make_speech(1.0), huge], ["first", "second"])
    soundfile.write(tmp_path / "huge.wav", np.concatenate([make_speech(30.0), huge]), 16000, subtype="FLOAT")
    for pieces in (
        merit.enhance_file(tmp_path / "huge.wav", tmp_path / "out" / "clean.wav"),
        merit.recognise_file(tmp_path / "huge.wav"),
    ):
        with pytest.raises(MeritError, match="huge.wav: .*NaN or infinity"):
            list(pieces)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_model_with_a_weight_that_is_not_finite_is_refused(save_model, value):
    directory = save_model(change=lambda model: model.emotion_head.classifier[1].weight[0, 3].fill_(value))
    with pytest.raises(MeritError, match="model.safetensors: .*emotion_head.classifier.1.weight holds NaN or infinity"):
        Merit.from_pretrained(directory, "cpu")


def test_encoder_with_a_longest_signal(save_model, make_speech):
    merit = Merit.from_pretrained(save_model(WHISPER), "cpu", "float32", piece_seconds=60)
    assert merit.piece_samples == 30 * 16000
    samples = make_speech(31.3)
    result = merit(samples, 16000)
    assert len(result.enhanced) == len(samples)
    assert len(result.routing["emotion"]) == (len(samples) // 160 + 1) // 2


@pytest.mark.parametrize("task", ["emotion", "enhancement"])
def test_models_with_one_head(save_model, make_speech, tmp_path, task):
    merit = Merit.from_pretrained(save_model(tasks=(task,)), "cpu", "float32")
    result = merit(make_speech(0.5), 16000)
    assert (result.enhanced is None) == (task == "emotion")
    assert (result.emotion is None) == (task == "enhancement")
    assert list(result.routing) == [task]
    missing = merit.enhance_file(tmp_path, tmp_path) if task == "emotion" else merit.recognise_file(tmp_path)
    with pytest.raises(MeritError, match="has no .* head"):
        list(missing)


def test_model_without_routing(save_model, make_speech):
    merit = Merit.from_pretrained(save_model(front_end="weighted_sum"), "cpu", "float32", piece_seconds=2)
    result = merit(make_speech(2.5), 16000)
    assert result.routing == {} and len(result.enhanced) == 40000


def test_bad_settings_are_refused(model_directory, tmp_path):
    with pytest.raises(MeritError, match="device nonsense"):
        Merit.from_pretrained(model_directory, device="nonsense")
    with pytest.raises(MeritError, match="piece_seconds"):
        Merit.from_pretrained(model_directory, piece_seconds=1)
    with pytest.raises(MeritError, match="no config.json"):
        Merit.from_pretrained(tmp_path)
