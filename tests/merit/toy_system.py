"""A system of thirty lines on the training core: a line through points, with an objective of its own."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from merit.training.accelerator import make_accelerator
from merit.training.config import TrainingConfig
from merit.training.contract import Criterion, Summary
from merit.training.loop import Trainer
from merit.training.run import Run
from merit.training.run_state import start_run

TRAINING = TrainingConfig(epochs=4, batch_size=4, micro_batch_size=2, learning_rate=0.1, precision="float32", workers=0)


@dataclass
class Points:
    """A batch of points (x, y)."""

    keys: list[str]
    lengths: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor

    def to(self, device):
        return replace(self, x=self.x.to(device), y=self.y.to(device))


def collate(items):
    return Points(
        [key for item in items for key in item.keys],
        *(torch.cat([getattr(item, name) for item in items]) for name in ("lengths", "x", "y")),
    )


class Line:
    """Points of ``y = 3 x - 1``."""

    directory, shards, groups, collate = Path("data/line"), None, None, staticmethod(collate)

    def __init__(self, points: int, first: float = 0.0) -> None:
        self.x = first + torch.linspace(-1, 1, points)
        self.samples, self.seconds = [16000] * points, [1.0] * points

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        x = self.x[index[0]].view(1)
        return Points([f"p{index[0]:02d}"], torch.tensor([16000]), x, 3 * x - 1)


ERROR = Criterion("error", higher_is_better=False)


class SquaredError:
    """Mean squared error; the dev set is judged by the share of points within 0.5."""

    tasks = ("error",)

    def __init__(self, criterion: Criterion = ERROR) -> None:
        self.criterion = criterion
        self.progress = []

    def forward(self, model, batch):
        return model(batch.x.unsqueeze(-1)).squeeze(-1)

    def denominators(self, batch):
        return {"error": torch.tensor(float(len(batch.x)), device=batch.x.device)}

    def sums(self, output, batch):
        return {"error": (output - batch.y).square().sum()}

    def weights(self, progress):
        self.progress.append(progress)
        return {"error": 1.0}

    def counts(self, output, batch):
        points = torch.tensor(len(batch.x), device=batch.x.device)
        return {"near": (output - batch.y).abs().lt(0.5).sum(), "points": points}

    def summary(self, losses, counts):
        near = (counts["near"] / counts["points"]).item()
        return Summary({**losses, "near": near}, {}, ["nothing is near"] if near == 0 else [])

    def shared_parameters(self, model):
        return list(model.parameters())


def train_line(
    output: Path, training: TrainingConfig = TRAINING, objective: SquaredError | None = None, model=None
) -> Run:
    """Train a line; gives the run at its end."""
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    accelerator = make_accelerator(training, output)
    start_run(output, TRAINING, {})
    run = Run(model, objective or SquaredError(), training, output, 7, accelerator)
    Trainer([run], Line(10), Line(6, 0.1), order_seed=7).fit()
    return run
