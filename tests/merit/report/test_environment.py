"""What a result was made with."""

import subprocess

from merit.report.environment import PACKAGES, describe_environment, environment_section, git_commit


def test_git_commit_says_whether_the_tree_was_changed(tmp_path):
    assert git_commit(tmp_path) == "no commit (not a git checkout)"

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True, capture_output=True)

    git("init")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-m", "first")
    assert "uncommitted" not in git_commit(tmp_path)
    (tmp_path / "file").write_text("2")
    assert git_commit(tmp_path).endswith("with uncommitted changes")


def test_the_environment_names_versions_machine_and_commit():
    found = describe_environment()
    assert list(found) == ["date", "python", *PACKAGES, "platform", "processor", "git"] and all(found.values())


def test_the_section_lists_all_of_it(monkeypatch):
    monkeypatch.setattr("merit.report.environment.describe_environment", lambda: {"torch": "2", "git": "abc"})
    assert environment_section() == "## Environment\n\n- torch: 2\n- git: abc"
