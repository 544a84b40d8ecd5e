"""What makes a run another one."""

from dataclasses import replace

from merit.data.noise.online.mixing_file import summary
from merit.systems.sparse_merit.phases.run_options import run_options
from merit.systems.sparse_merit.training_options import MeritTraining


def test_labels_count_by_their_content_and_only_where_there_are_any(tmp_path):
    train, dev = tmp_path / "train", tmp_path / "dev"
    train.mkdir(), dev.mkdir()
    (train / "utt2emo").write_text("u0 sad\n")
    first = run_options(MeritTraining(), train, dev, 7)
    assert first["train"] == str(train) and first["seed"] == 7 and "dev_labels" not in first
    assert run_options(MeritTraining(), train, dev, 7) == first
    (train / "utt2emo").write_text("u0 angry\n")
    assert run_options(MeritTraining(), train, dev, 7)["train_labels"] != first["train_labels"]


def test_every_option_of_the_training_counts(tmp_path):
    first = run_options(MeritTraining(), tmp_path, tmp_path, 7)
    for name, value in {"epochs": 3, "select": "losses", "balancing_weight": 0.5, "freeze": ["encoder"]}.items():
        other = run_options(replace(MeritTraining(), **{name: value}), tmp_path, tmp_path, 7)
        assert other["training"].pop(name) == value
        assert other["training"].items() <= first["training"].items()


def test_what_is_drawn_from_counts_where_training_is_mixed_online(corpus, online_corpus):
    found = run_options(MeritTraining(), online_corpus["train"], online_corpus["dev"], 7)
    assert found["train_mixing"] == summary(online_corpus["train"]) and found["train_mixing"]["seed"] == 3
    assert "train_mixing" not in run_options(MeritTraining(), corpus["train"], corpus["dev"], 7)
