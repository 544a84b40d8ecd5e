"""The check of data directories as a recipe calls it."""


def test_validation_shows_the_offending_lines(recipe, run):
    table = recipe / "data" / "test" / "utt2emo"
    table.write_text(table.read_text().replace("b-3 joy", "b-3 glee"))
    result = run("validate_data_dir", "--data", "data/test", "--classes", "[anger,joy]")
    assert result.returncode == 1
    assert result.stdout == "data/test/utt2emo: unknown label: b-3 glee (known: anger joy)\n"
    assert result.stderr == "error: 1 invalid data directory\n"


def test_audio_is_decoded_and_commands_are_refused_when_that_is_asked(recipe, run):
    table = recipe / "data/test/wav.scp"
    table.write_text(table.read_text().replace("corpus/b-3.wav", "touch made |"))
    (recipe / "corpus/a-2.wav").write_bytes(b"RIFF")
    strict = run("validate_data_dir", "--data", "data/test", "--no_pipes", "true", "--audio", "true")
    assert strict.returncode == 1 and not (recipe / "made").exists()
    assert "a command, which --no-pipes refuses: b-3 touch made |" in strict.stdout
    assert "a-2: corpus/a-2.wav: cannot be decoded" in strict.stdout
    assert run("validate_data_dir", "--data", "data/test").returncode == 0
