from pathlib import Path

import pytest

from merit.errors import MeritError
from merit.systems.sparse_merit.methods.method import COMMON, find_method, method_called, read_method, title_of


def test_every_common_method_says_what_it_is():
    """The files differ in more than their comments: no two have the same title, speech, model and training."""
    methods = {path.stem: read_method(path) for path in COMMON.glob("*.yaml")}
    assert len(methods) >= 19
    assert len({method.title for method in methods.values()} - {""}) == len(methods)
    assert {name for name, method in methods.items() if method.speech != "noisy"} == {"original", "se_p"}
    assert methods["original"].speech == "clean" and methods["se_p"].speech == "enhanced"
    assert methods["original"].model.tasks == methods["ft_m"].model.tasks == ("emotion",)
    assert methods["se_only"].model.tasks == ("enhancement",)
    assert methods["sparse_merit"].model.tasks == ("emotion", "enhancement")
    assert methods["sparse_merit_balance"].training.balancing_weight == 0.01


@pytest.mark.parametrize("tasks", ["[enhancement]", "\n  - enhancement", "\n  # alone\n  - 'enhancement'"])
def test_tasks_in_any_style_of_yaml(tmp_path: Path, tasks: str):
    path = tmp_path / "mine.yaml"
    path.write_text(f"model:\n  tasks: {tasks}\n")
    assert read_method(path).model.tasks == ("enhancement",)


@pytest.mark.parametrize(
    "text, reason",
    [
        ("titel: Mine\n", "titel"),
        ("speech: loud\n", "loud"),
        ("model:\n  expert: 3\n", "expert"),
        ("model:\n  tasks: [emotions]\n", "emotions"),
        ("model:\n  tasks: []\n", "names none"),
        ("training:\n  epoch: 3\n", "epoch"),
        ("training:\n  epochs: 0\n", "training.epochs is 0"),
        ("model: [\n", "Problems parsing config"),
        ("# nothing\n", "not the file of a method"),
        ("title: \xff\n", "not the file of a method"),
    ],
)
def test_a_mistyped_file_is_named_with_what_is_wrong(tmp_path: Path, text: str, reason: str):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(MeritError) as error:
        read_method(path)
    assert str(error.value).startswith(f"{path}: ") and reason in str(error.value)


def test_a_recipes_own_method_goes_before_the_common_one(tmp_path: Path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own/ft_m.yaml").write_text("title: FT-M of mine\nspeech: clean\n")
    folders = (tmp_path / "own", COMMON)
    assert find_method("ft_m", folders) == f"{tmp_path}/own/ft_m.yaml"
    assert find_method("ft_mtl", folders) == f"{COMMON}/ft_mtl.yaml"
    assert find_method("nothere", folders) is None
    assert title_of("ft_m", folders) == "FT-M of mine" and method_called("ft_m", folders).speech == "clean"
    assert title_of("ft_mtl", folders) == "FT-MTL"


def test_a_method_without_title_or_file_goes_by_its_name(tmp_path: Path):
    (tmp_path / "wide.yaml").write_text("model:\n  expert_size: 9\n")
    assert title_of("wide", (tmp_path,)) == "wide"
    assert title_of("gone", (tmp_path,)) == "gone" and method_called("gone", (tmp_path,)).speech == "noisy"


def test_the_folder_of_a_recipe_that_works_elsewhere_is_in_the_environment(tmp_path: Path, monkeypatch):
    for name, title in (("conf", "Here"), ("recipe", "There")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "elsewhere.yaml").write_text(f"title: {title}\nspeech: clean\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MERIT_METHODS", raising=False)
    assert title_of("elsewhere") == "Here"
    monkeypatch.setenv("MERIT_METHODS", str(tmp_path / "recipe"))
    assert title_of("elsewhere") == "There" and method_called("elsewhere").speech == "clean"
    assert title_of("sparse_merit") == "Sparse MERIT"
