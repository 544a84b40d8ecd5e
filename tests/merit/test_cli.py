"""The ``merit`` command."""

import csv
import io
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import merit
from merit.cli import main, plan_outputs
from merit.errors import MeritError
from merit.systems.sparse_merit.inference import Merit
from merit.systems.sparse_merit.result import mean_emotion


def run(capsys, *arguments):
    """Exit status, stdout and stderr of a command; numbers that ``sys.exit`` gets as text count as 1, as in a shell."""
    try:
        main([str(argument) for argument in arguments])
        status = 0
    except SystemExit as exit:
        status = exit.code
        if isinstance(status, str):
            print(status, file=sys.stderr)
            status = 1
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def recordings(tmp_path, make_speech):
    """Three recordings: a.wav at 16 kHz, sub/b.flac at 44.1 kHz, and c.wav, which is damaged; and a text."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    soundfile.write(folder / "a.wav", make_speech(1.0), 16000)
    soundfile.write(folder / "sub" / "b.flac", make_speech(1.0, 1), 44100)
    soundfile.write(folder / "c.wav", np.full(8000, np.nan), 16000, subtype="FLOAT")
    (folder / "notes.txt").write_text("not audio")
    return folder


def test_help_and_version_come_without_torch(capsys):
    assert run(capsys, "--version") == (0, f"merit {merit.__version__}\n", "")
    status, text, _ = run(capsys, "--help")
    assert status == 0 and "enhance" in text and "emotion" in text
    for command in ("enhance", "emotion", "mos", "transcribe", "translate"):
        status, text, _ = run(capsys, command, "--help")
        assert status == 0 and "--model" in text and "IN [IN ...]" in text
    code = "import sys, merit.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unusable_options_exit_with_2(capsys, tmp_path):
    assert run(capsys)[0] == 2
    assert run(capsys, "sing")[0] == 2
    assert run(capsys, "enhance", "a.wav", "--output", tmp_path)[0] == 2
    assert run(capsys, "enhance", "a.wav", "--model", "m", "--output", tmp_path, "--format", "mp3")[0] == 2
    assert run(capsys, "emotion", "--model", "m")[0] == 2


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_enhance_writes_what_the_model_gives(capsys, recordings, identity_directory, make_speech, tmp_path, format):
    (recordings / "c.wav").unlink()
    output = tmp_path / "out"
    options = ("--model", identity_directory, "--output", output, "--format", format, "--device", "cpu")
    status, text, _ = run(capsys, "enhance", recordings, *options)
    assert status == 0
    assert f"{recordings / 'a.wav'} -> {output / 'a'}.{format} (1.00 s, 16 kHz mono)" in text.splitlines()
    written = {file.relative_to(output).as_posix() for file in output.rglob("*") if file.is_file()}
    assert written == {f"a.{format}", f"sub/b.{format}"}
    samples, rate = soundfile.read(output / f"a.{format}")
    assert rate == 16000 and np.abs(samples - make_speech(1.0)).max() < 1e-4
    assert soundfile.info(output / "sub" / f"b.{format}").frames == -(-16000 * 160 // 441)


def test_a_bad_file_does_not_keep_the_others(capsys, recordings, model_directory, tmp_path):
    inputs = [recordings / "absent.wav", recordings]
    status, text, errors = run(capsys, "enhance", *inputs, "--model", model_directory, "--output", tmp_path / "out")
    assert status == 1
    assert len(text.splitlines()) == 2 and (tmp_path / "out" / "sub" / "b.wav").exists()
    assert "2 of 4 files failed" in errors
    assert "absent.wav: there is no such file" in errors and "c.wav: holds NaN" in errors
    status, text, errors = run(capsys, "emotion", *inputs, "--model", model_directory)
    assert status == 1 and len(text.splitlines()) == 3 and "2 of 4 files failed" in errors


def test_what_makes_the_model_give_nan_fails_alone(capsys, recordings, model_directory, make_speech, tmp_path):
    huge, output = recordings / "c.wav", tmp_path / "out"
    soundfile.write(huge, 1e30 * make_speech(1.0), 16000, subtype="FLOAT")
    status, text, errors = run(capsys, "emotion", recordings, "--model", model_directory)
    assert status == 1 and "nan" not in text and len(text.splitlines()) == 3
    assert "1 of 3 files failed" in errors and f"{huge}: the model gives NaN" in errors
    status, text, errors = run(capsys, "enhance", recordings, "--model", model_directory, "--output", output)
    assert status == 1 and len(text.splitlines()) == 2 and f"{huge}: the model gives NaN" in errors
    assert {file.name for file in output.rglob("*.*")} == {"a.wav", "b.wav"}


@pytest.mark.parametrize("exists", [False, True])
def test_a_name_that_is_a_command_is_never_run(capsys, model_directory, tmp_path, monkeypatch, exists):
    monkeypatch.chdir(tmp_path)
    if exists:
        (tmp_path / "touch made |").write_bytes(b"")
    for command in (["enhance", "--output", "out"], ["emotion"]):
        status, _, errors = run(capsys, *command, "--model", model_directory, "touch made |")
        assert status == 1 and ("rename the file" if exists else "there is no such file") in errors
    assert not (tmp_path / "made").exists()


def test_what_failed_is_told_as_it_was(capsys, recordings, model_directory, tmp_path):
    options = ("--model", model_directory, "--output", tmp_path / "out")
    absent = [recordings / name for name in ("absent.wav", "gone.wav")]
    status, text, errors = run(capsys, "enhance", absent[0], *options)
    assert (status, text) == (1, "")
    assert errors.startswith(f"error: {absent[0]}: there is no such file") and "others" not in errors
    _, _, errors = run(capsys, "enhance", *absent, *options)
    assert errors.startswith("error: all 2 files failed:\n  ") and "others" not in errors


def test_an_output_that_is_a_file_is_told_in_a_sentence(capsys, recordings, model_directory, tmp_path):
    (tmp_path / "out").write_text("mine")
    for output in (tmp_path / "out", tmp_path / "out" / "below"):
        options = ("--model", model_directory, "--output", output)
        status, _, errors = run(capsys, "enhance", recordings / "a.wav", *options)
        assert status == 1 and "Errno" not in errors and "Traceback" not in errors
        assert f"{output}: a directory is needed here, and this is a file or lies below one" in errors
    assert (tmp_path / "out").read_text() == "mine"


def test_emotion_prints_a_table(capsys, recordings, model_directory, make_speech, tmp_path):
    soundfile.write(tmp_path / "long.wav", make_speech(25), 16000)
    files = [str(recordings / "a.wav"), str(tmp_path / "long.wav")]
    trained = Merit.from_pretrained(model_directory, "cpu")
    status, text, _ = run(capsys, "emotion", *files, "--model", model_directory, "--device", "cpu")
    assert status == 0
    header, *rows = [line.split("\t") for line in text.splitlines()]
    assert header == ["file", "emotion", "angry", "happy", "neutral", "sad"]
    assert [row[0] for row in rows] == files
    for row, file in zip(rows, files):
        expected = mean_emotion(list(trained.recognise_file(file)))
        assert row[1] == max(expected, key=expected.get)
        assert [float(value) for value in row[2:]] == pytest.approx(list(expected.values()), abs=1e-4)

    status, text, _ = run(capsys, "emotion", *files, "--model", model_directory, "--pieces", "true")
    header, *rows = [line.split("\t") for line in text.splitlines()]
    assert header[:4] == ["file", "start", "end", "emotion"]
    assert [row[:3] for row in rows] == [
        [files[0], "0.00", "1.00"],
        [files[1], "0.00", "20.00"],
        [files[1], "19.00", "25.00"],
    ]


def test_models_without_the_head_are_refused(capsys, recordings, save_model, tmp_path):
    file = recordings / "a.wav"
    status, _, errors = run(capsys, "enhance", file, "--model", save_model(tasks=("emotion",)), "--output", tmp_path)
    assert status == 1 and "no enhancement head" in errors
    status, _, errors = run(capsys, "emotion", file, "--model", save_model(tasks=("enhancement",)))
    assert status == 1 and "no emotion head" in errors
    status, _, errors = run(capsys, "emotion", file, "--model", tmp_path)
    assert status == 1 and "no config.json" in errors


def test_nothing_given_is_overwritten(recordings, tmp_path):
    with pytest.raises(MeritError, match="a.wav.*input"):
        plan_outputs([recordings], recordings, "wav")
    with pytest.raises(MeritError, match="A.wav.*input"):  # one file where the system does not tell case
        (recordings / "A.flac").touch()
        plan_outputs([recordings / "A.flac", recordings / "a.wav"], recordings, "wav")


def test_two_inputs_never_share_an_output(recordings, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.flac").touch()
    with pytest.raises(MeritError, match="two inputs.*a.wav and .*a.flac"):
        plan_outputs([recordings / "a.wav", other / "a.flac"], tmp_path / "out", "wav")


def test_directories(recordings, tmp_path):
    inside = recordings / "enhanced"
    inside.mkdir()
    (inside / "old.wav").touch()
    planned = plan_outputs([recordings], inside, "wav")
    assert [source.name for source in planned] == ["a.wav", "c.wav", "b.flac"]
    assert planned[recordings / "sub" / "b.flac"] == inside / "sub" / "b.wav"
    (tmp_path / "empty").mkdir()
    with pytest.raises(MeritError, match="empty: no audio"):
        plan_outputs([tmp_path / "empty"], tmp_path / "out", "wav")


@pytest.fixture(scope="session")
def mos_directory(tmp_path_factory, tiny_encoder):
    """MoE-MOS with random weights on a frozen tiny encoder."""
    from merit.data.statistics import WaveformStatistics
    from merit.nets.ssl import load_encoder
    from merit.systems.moe_mos.model_config import MosModelConfig
    from merit.systems.moe_mos.quality_description import MosDescription, build_model
    from merit.training.run_state import save_weights, start_run

    encoder = load_encoder(tiny_encoder)
    sizes = (encoder.num_states, encoder.hidden_size, WaveformStatistics(0.0, 0.07, 1))
    config = MosModelConfig(expert_size=6, representation_size=5)
    description = MosDescription(config, ["a", "b"], *sizes, tiny_encoder, encoder.fingerprint(), None, "float32")
    directory = tmp_path_factory.mktemp("mos") / "run"
    start_run(directory, description, {})
    save_weights(build_model(description, None), directory)
    return directory


def test_mos_prints_a_score_for_each_file_and_names_what_failed(capsys, recordings, mos_directory, make_speech):
    from merit.systems.moe_mos.mos_inference import MoeMos

    status, text, errors = run(capsys, "mos", recordings, "--model", mos_directory, "--device", "cpu")
    lines = [line.split("\t") for line in text.splitlines()]
    assert lines[0] == ["file", "mos"]
    assert [line[0] for line in lines[1:]] == [str(recordings / "a.wav"), str(recordings / "sub/b.flac")]
    expected = MoeMos.from_pretrained(mos_directory, device="cpu")(make_speech(1.0), 16000).mos
    assert float(lines[1][1]) == pytest.approx(expected, abs=2e-3)
    assert status == 1 and "1 of 3 files failed, the others are done:" in errors and "c.wav" in errors


def test_mos_of_a_model_of_another_kind_is_refused(capsys, recordings, identity_directory):
    status, _, errors = run(capsys, "mos", recordings / "a.wav", "--model", identity_directory)
    assert status == 1 and "not the configuration of a trained MoE-MOS model" in errors


@pytest.fixture
def speech_to_text(tmp_path):
    from small_smoe import save_tiny, tone_vocabulary

    return save_tiny(tmp_path / "encdec_smoe-7", tone_vocabulary(tmp_path / "vocabulary.model"))


@pytest.mark.parametrize("task, options", [("transcribe", ()), ("translate", ("--to", "fr"))])
def test_texts_are_printed_for_each_file_and_what_failed_is_named(capsys, recordings, speech_to_text, task, options):
    from merit.systems.smoe.smoe_inference import Smoe

    line = (task, recordings, *options, "--model", speech_to_text, "--device", "cpu")
    status, text, errors = run(capsys, *line)
    rows = list(csv.reader(io.StringIO(text), delimiter="\t"))
    assert status == 1 and "1 of 3 files failed" in errors and "c.wav" in errors
    assert rows[0] == ["file", "text"] and [row[0].rsplit("/", 1)[1] for row in rows[1:]] == ["a.wav", "b.flac"]
    expected = dict(Smoe.from_pretrained(speech_to_text, "cpu").files([recordings / "a.wav"], task))
    assert rows[1][1] == expected[recordings / "a.wav"]


def test_a_language_that_was_not_learnt_is_refused(capsys, recordings, speech_to_text):
    status, _, errors = run(capsys, "translate", recordings / "a.wav", "--to", "de", "--model", speech_to_text)
    assert status == 1 and "translates into fr, not into 'de'; give --to fr" in errors
