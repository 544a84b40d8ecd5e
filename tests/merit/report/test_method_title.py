"""Titles of methods."""

from merit.report.method_title import title_of


def test_titles_come_from_the_first_folder_that_has_the_method(tmp_path):
    for folder, title in (("own", "Mine"), ("common", "Everybody's")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.yaml").write_text(f'title: "{title}"\n')
    (tmp_path / "common/n.yaml").write_text("# none\n")
    folders = [tmp_path / "own", tmp_path / "common"]
    assert [title_of(method, folders) for method in ("m", "n", "o")] == ["Mine", "n", "o"]
