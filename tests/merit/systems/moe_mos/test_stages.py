"""Three stages in one training: what each starts from, and that a killed one goes on to the same numbers."""

import csv
import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from merit.errors import MeritError
from merit.nets.ssl import load_encoder
from merit.systems.moe_mos.model_config import MosModelConfig
from merit.systems.moe_mos.quality_objective import MosObjective
from merit.systems.moe_mos.stages import Inputs, stage_directory, train_stages

MODEL = MosModelConfig(num_experts=2, expert_size=6, representation_size=5)


@pytest.fixture
def train(rated, statistics, tiny_encoder, short_stages):
    """Function that trains the stages, with changes; gives the weights for use."""

    def run(output, names=("classification", "joint", "mos"), data="train", frozen=True, **changes):
        dumps = (rated[f"{data}_dump"], rated["dev_dump"]) if frozen else ()
        inputs = Inputs(rated[data], rated["dev"], tiny_encoder, statistics, *dumps)
        train_stages(inputs, MODEL, {name: replace(short_stages[name], **changes) for name in names}, output, 3)
        return load_file(output / "model.safetensors")

    return run


def history(directory):
    with open(directory / "history.csv") as file:
        rows = list(csv.DictReader(file))
    return [{name: float(value) for name, value in row.items() if "memory" not in name} for row in rows]


def differ(first, second):
    return sorted(name for name in first if not first[name].equal(second[name]))


@pytest.fixture(scope="module")
def whole(rated, statistics, tiny_encoder, short_stages, tmp_path_factory):
    """A finished training."""
    output = tmp_path_factory.mktemp("whole") / "run"
    inputs = Inputs(rated["train"], rated["dev"], tiny_encoder, statistics, rated["train_dump"], rated["dev_dump"])
    train_stages(inputs, MODEL, short_stages, output, 3)
    return output


def test_every_stage_starts_from_the_one_before(whole):
    stages = [stage_directory(whole, name, "mos") for name in ("classification", "joint", "mos")]
    assert [path.name for path in stages] == ["stage_1_classification", "stage_2_joint", "run"]
    assert [len(history(path)) for path in stages] == [2, 2, 2]
    weights = [load_file(path / "model.safetensors") for path in stages]
    # Classification alone leaves the MOS head as it was drawn: nothing but weight decay moves it.
    assert "mos_head.projection.weight" in differ(weights[0], weights[1])
    assert "system_head.weight" in differ(weights[0], weights[1])
    starts = [json.loads((path / "config.json").read_text())["run"].get("starts_from") for path in stages]
    assert starts[0] is None and starts[1].startswith("stage_1_classification ")
    assert starts[2].startswith("stage_2_joint ")


def test_a_stage_that_learns_nothing_is_where_the_one_before_ended(
    rated, statistics, tiny_encoder, short_stages, tmp_path
):
    inputs = Inputs(rated["train"], rated["dev"], tiny_encoder, statistics, rated["train_dump"], rated["dev_dump"])
    still = replace(short_stages["mos"], learning_rate=0.0)
    train_stages(inputs, MODEL, {"joint": short_stages["joint"], "mos": still}, tmp_path / "run", 3)
    before, after = (load_file(tmp_path / path / "model.safetensors") for path in ("run/stage_2_joint", "run"))
    assert differ(before, after) == []
    found = []
    for seed in (3, 4):  # what is drawn at the start follows from the seed
        train_stages(inputs, MODEL, {"mos": still}, tmp_path / f"still{seed}", seed)
        found.append(load_file(tmp_path / f"still{seed}" / "model.safetensors"))
    assert "gate.projection.weight" in differ(*found)


def test_no_mos_is_learnt_in_the_first_stage(train, tmp_path):
    bias = "mos_head.projection.bias"
    short, long = (train(tmp_path / f"{n}", ["classification"], epochs=n, weight_decay=0.0) for n in (1, 2))
    assert short[bias].equal(long[bias]) and differ(short, long)


def test_a_training_killed_in_the_second_stage_goes_on_to_the_same_numbers(whole, train, tmp_path, monkeypatch):
    steps = 0
    sums = MosObjective.sums

    def dying(self, output, batch):
        nonlocal steps
        steps += output.mos.requires_grad
        if steps == 17:  # of 12 in a stage: in the first epoch of the second
            raise RuntimeError("killed")
        return sums(self, output, batch)

    monkeypatch.setattr(MosObjective, "sums", dying)
    with pytest.raises(RuntimeError, match="killed"):
        train(tmp_path / "run", checkpoint_minutes=0.0)
    monkeypatch.undo()
    assert not (tmp_path / "run/history.csv").exists()
    again = train(tmp_path / "run")
    assert differ(again, load_file(whole / "model.safetensors")) == []
    for part in (".", "stage_1_classification", "stage_2_joint"):
        assert history(tmp_path / "run" / part) == history(whole / part)


def test_batches_may_be_cut_in_any_way(train, tmp_path):
    """Diversity aside, which is a product of means over what is computed at once."""
    options = {"diversity_weight": 0.0, "epochs": 1}
    stages = {name: {**options, "micro_batch_size": size} for name, size in (("a", 6), ("b", 2))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.Dropout, "forward", lambda self, x: x)
        found = [train(tmp_path / name, ["joint"], data="half", **changes) for name, changes in stages.items()]
    for name in found[0]:
        torch.testing.assert_close(found[0][name], found[1][name], atol=2e-5, rtol=1e-4)


def test_the_encoder_is_trained_when_it_is_not_frozen(train, tmp_path, tiny_encoder):
    weights = train(tmp_path / "run", ["joint"], frozen=False, epochs=1, encoder_learning_rate=1e-3)
    encoder = load_encoder(tiny_encoder).state_dict()
    moved = [name for name in encoder if not weights[f"encoder.{name}"].equal(encoder[name])]
    assert any("layers.1" in name for name in moved) and not any("feature_extractor" in name for name in moved)


def test_other_options_are_refused_in_a_directory_that_is_in_use(whole, train):
    with pytest.raises(MeritError, match="run.training.mos_share"):
        train(whole, mos_share=[0.5, 0.5])


def test_a_training_set_without_ratings_has_no_mos_to_learn(train, rated, tmp_path, monkeypatch):
    monkeypatch.setattr("merit.data.rated.ratings.RatedClip.mean", property(lambda self: float("nan")))
    with pytest.raises(MeritError, match="no clip has a rating"):
        train(tmp_path / "run", ["mos"])


def test_no_stage_is_no_training(rated, statistics, tiny_encoder, tmp_path):
    with pytest.raises(MeritError, match="no stage to train; name some of classification, joint, mos"):
        train_stages(Inputs(rated["train"], rated["dev"], tiny_encoder, statistics), MODEL, {}, tmp_path, 3)


def test_listeners_are_learnt_and_come_back(rated, statistics, tiny_encoder, short_stages, tmp_path):
    from merit.systems.moe_mos.quality_description import load_model

    inputs = Inputs(rated["train"], rated["dev"], tiny_encoder, statistics, rated["train_dump"], rated["dev_dump"])
    model = replace(MODEL, rater_embedding=True)
    train_stages(inputs, model, {"mos": short_stages["mos"]}, tmp_path / "run", 3)
    network, description = load_model(tmp_path / "run")
    assert description.listeners == ["L0", "L1"]
    assert (network.listeners.weight.abs().sum(dim=1) > 0).all()
