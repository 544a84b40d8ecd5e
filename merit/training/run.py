"""One model in training: its steps, its dev set, its saved states and its history."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from merit.errors import MeritError, brief
from merit.memory import memory_use
from merit.training.combination import make_combination
from merit.training.config import TrainingConfig
from merit.training.contract import Batch, Objective
from merit.training.evaluation import Evaluation, added, reduced
from merit.training.optimizer import LearningRates, freeze, make_optimizer
from merit.training.run_state import load_state, save_average, save_history, save_state, save_weights

logger = logging.getLogger(__name__)


class Run:
    """Trains one model and keeps the weights of its best epoch on the dev set.

    Everything random in a step follows from the seed and the number of the step, so a run that was killed and
    continued from its last saved state takes the same steps as one that was not. It knows nothing of other runs that
    are trained on the same batches (:class:`merit.training.loop.Trainer`).

    Args:
        model: the model to train.
        objective: what it is trained for; all that is known here of the system.
        config: options of the run.
        output: directory of the run, with its ``config.json`` written already.
        seed: of dropout.
        accelerator: of this run alone, from :func:`merit.training.accelerator.make_accelerator`.
        take: what is trained on of a batch in this epoch, as random crops; None takes batches as they come.

    Attributes:
        epoch: epochs that are done.
        step: optimiser steps that are done in the epoch after them.
        history: one row for each epoch.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        config: TrainingConfig,
        output: Path,
        seed: int,
        accelerator: Accelerator,
        take: Callable[[Batch, int], Batch] | None = None,
    ) -> None:
        self.objective = objective
        self.config = config
        self.output = output
        self.seed = seed
        self.accelerator = accelerator
        self.take = take
        self.bare_model = model  # without what distributed training wraps around it
        freeze(model, config.freeze)
        optimizer = make_optimizer(model, config)
        self.learning_rates = LearningRates(optimizer, config)
        self.model, self.optimizer = accelerator.prepare(model, optimizer)
        self.model.train()
        self.combination = make_combination(config, self.model, accelerator, objective)
        self.epoch = 0
        self.step = 0
        self.steps_taken = 0  # in all epochs
        self.steps_in_epoch = 1  # the loop knows
        self.sums: dict[str, float] = {}
        self.history: list[dict[str, float]] = []
        self.saved_at = time.monotonic()
        self.unhealthy: list[str] = []  # what was, after the last epoch

    @property
    def finished(self) -> bool:
        """Nothing is left to train: the last epoch is reached, or patience is at its end."""
        if self.epoch >= self.config.epochs:
            return True
        if self.config.patience is None or not self.history:
            return False
        return self.epoch - self.best["epoch"] >= self.config.patience

    @property
    def best(self) -> dict[str, float]:
        """The row of the epoch that is best on the dev set, the first of equals."""
        return self.objective.criterion.best_first(self.history)[0]

    @property
    def progress(self) -> float:
        """Share of the training that is done, from 0 to 1."""
        return min(1.0, (self.epoch + self.step / self.steps_in_epoch) / self.config.epochs)

    def report(self) -> None:
        """Say at the end which epoch was best, and what was unhealthy then."""
        column = f"dev_{self.objective.criterion.name}"
        logger.info("%s: best epoch %d, %s %.4f", self.output, self.best["epoch"], column, self.best[column])
        if self.unhealthy:
            logger.warning("%s: after the last epoch %s", self.output, "; ".join(self.unhealthy))
        if self.config.keep == "last":
            logger.info("%s: the weights of the last epoch, %d, are kept", self.output, self.epoch)

    def let_go(self) -> None:
        """Let go of what distributed training has put around the model, and of all that trains it."""
        self.model = self.bare_model
        del self.optimizer, self.combination
        self.accelerator.free_memory()

    # A step

    def train_step(self, batches: Sequence[Batch]) -> dict[str, float]:
        """Take one optimiser step from prepared micro-batches; gives its losses.

        Losses come to the host once, after the last backward pass. In float16, whose range is small, a loss that is
        not finite costs the step alone: no weight is changed, and gradients are scaled lower from then on.

        Raises:
            MeritError: when the loss is not finite in any process, with the utterances of this one; the weights are
                as before the step.
        """
        # One seed a step and process makes dropout independent of how the run got here.
        torch.manual_seed(hash((self.seed, self.epoch, self.step, self.accelerator.process_index)) % 2**63)
        batches = [self._own(batch) for batch in batches]
        parts = added(self.objective.denominators(batch) for batch in batches)
        denominators = reduced(parts, self.accelerator)
        weights = self.objective.weights(self.progress)
        totals: dict[str, Tensor] = {}
        batch_losses = []
        for place, batch in enumerate(batches):
            with self.combination.step_part(last=place == len(batches) - 1):
                with self.accelerator.autocast():
                    output = self.objective.forward(self.model, batch)
                    sums = self.objective.sums(output, batch)
                losses = {name: weights[name] * (value / denominators[name]) for name, value in sums.items()}
                self.combination.backward(losses)
            batch_losses.append(sum(losses.values()).detach())
            totals = added([totals, {name: value.detach() for name, value in sums.items()}])
        values = self._count(batches, batch_losses, reduced(totals, self.accelerator), denominators)
        if all(map(math.isfinite, values.values())):
            self.combination.finish({name: weights[name] * value for name, value in values.items()})
            if self.config.gradient_clip is not None:
                self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip)
            self.learning_rates.set(self.optimizer, self.steps_taken, self.progress)
            self.optimizer.step()
        else:
            self.combination.abandon()
            scaler = self.accelerator.scaler
            scaler.update(scaler.get_scale() * scaler.get_backoff_factor())
        self.optimizer.zero_grad()
        self.step += 1
        self.steps_taken += 1
        return values

    def _own(self, batch: Batch) -> Batch:
        if self.take is not None:
            batch = self.take(batch, self.epoch)
        return batch.to(self.accelerator.device)

    def _count(
        self,
        batches: Sequence[Batch],
        batch_losses: Sequence[Tensor],
        totals: dict[str, Tensor],
        denominators: dict[str, Tensor],
    ) -> dict[str, float]:
        """Check the losses and add up the epoch; gives the losses of the step, the same in all processes."""
        on_host = torch.stack([*batch_losses, *totals.values(), *(denominators[name] for name in totals)]).tolist()
        step_values = on_host[len(batches) :]
        found = list(zip(totals, step_values, step_values[len(totals) :]))
        values = {name: total / denominator for name, total, denominator in found}
        if not all(map(math.isfinite, values.values())):
            problem = f"{self.output}: {self._not_finite(batches, on_host)}"
            if self.accelerator.scaler is None:
                raise MeritError(
                    f"{problem}; look at their audio, or use a lower learning rate or --training.precision float32"
                )
            logger.warning("%s; the step is passed over", problem)
            return values
        for name, total, denominator in found:
            self.sums[name] = self.sums.get(name, 0.0) + total
            self.sums[f"{name}/denominator"] = self.sums.get(f"{name}/denominator", 0.0) + denominator
        return values

    def _not_finite(self, batches: Sequence[Batch], losses: Sequence[float]) -> str:
        """Which loss it is that is not finite: of a micro-batch here, or of another process."""
        place = f"in epoch {self.epoch + 1}, step {self.step + 1}"
        for batch, loss in zip(batches, losses):
            if not math.isfinite(loss):
                return f"the loss is {loss} {place}, with the utterances {' '.join(batch.keys)}"
        return f"the loss is not finite {place}, in another process, which names the utterances"

    # The end of an epoch

    def evaluation(self) -> Evaluation:
        """An evaluation of the model as it is now, to be given the dev set's batches."""
        return Evaluation(self.bare_model, self.objective, self.accelerator)

    def end_epoch(self, evaluation: Evaluation) -> None:
        """Note the epoch in the history, keep its weights when it is the best, and save the state.

        Raises:
            MeritError: when a loss or the criterion of the dev set is not finite.
        """
        dev = evaluation.result()
        self.model.train()
        for name, value in dev.values.items():
            if not math.isfinite(value) and name in (*self.objective.tasks, self.objective.criterion.name):
                raise MeritError(
                    f"{self.output}: {name} of the dev set is {value} after epoch {self.epoch + 1}; look at the dev "
                    "audio, or use a lower learning rate or --training.precision float32"
                )
        train = {
            name: value / self.sums[f"{name}/denominator"]
            for name, value in self.sums.items()
            if not name.endswith("/denominator")
        }
        self.epoch += 1
        self.step = 0
        self.sums = {}
        row = {"epoch": self.epoch}
        row |= {f"train_{name}": value for name, value in train.items()} | {
            f"dev_{name}": value for name, value in dev.values.items()
        }
        row |= {f"weight_{name}": value for name, value in self.combination.task_weights().items()}
        row |= dev.usage
        row |= memory_use(self.accelerator.device)
        self.history.append(row)
        self.accelerator.log({name: value for name, value in row.items() if name != "epoch"}, step=self.epoch)
        logger.info("%s: %s", self.output, "  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        if dev.warnings and not self.unhealthy:
            logger.warning("%s: from epoch %d on %s", self.output, self.epoch, "; ".join(dev.warnings))
        self.unhealthy = dev.warnings
        if self.accelerator.is_main_process:
            self._keep_weights()
            save_history(self.history, self.output)
        self.save()

    def _keep_weights(self) -> None:
        """Keep the weights of this epoch where it is among those that count."""
        criterion = self.objective.criterion
        rows = self.history[::-1] if self.config.keep == "last" else criterion.best_first(self.history)
        kept = [int(row["epoch"]) for row in rows[: self.config.average]]
        if self.epoch in kept and self.config.average == 1:
            save_weights(self.bare_model, self.output)
        elif self.epoch in kept:
            save_average(self.bare_model, self.output, self.epoch, kept)

    # Saved states

    def save_when_due(self) -> None:
        """Save the state when the last one is older than ``checkpoint_minutes``."""
        if time.monotonic() - self.saved_at > 60 * self.config.checkpoint_minutes:
            self.save()

    def save(self) -> None:
        """Write the state that :meth:`restore` goes on from."""
        self.saved_at = time.monotonic()
        if not self.accelerator.is_main_process:
            return
        scaler = self.accelerator.scaler
        save_state(
            {
                "model": self.bare_model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "combination": self.combination.state_dict(),
                "scaler": None if scaler is None else scaler.state_dict(),
                "epoch": self.epoch,
                "step": self.step,
                "steps_taken": self.steps_taken,
                "sums": self.sums,
                "history": self.history,
            },
            self.output,
        )

    def restore(self) -> None:
        """Go on from the last saved state, if there is one.

        Raises:
            MeritError: when it is damaged or of another run, or the weights of the best epoch are gone.
        """
        state = load_state(self.output)
        if state is None:
            return
        try:
            self._take_over(state)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise MeritError(
                f"{self.output / 'last.pt'}: damaged, or not a state of this run ({brief(error)}); remove it to train "
                "from the start"
            ) from error
        logger.info("%s: going on from epoch %d, step %d", self.output, self.epoch + 1, self.step + 1)

    def _take_over(self, state: dict) -> None:
        if state["history"] and not (self.output / "model.safetensors").exists():
            raise MeritError(
                f"{self.output / 'model.safetensors'}: the weights of the best epoch are gone, and last.pt does not "
                "hold them; put them back, or remove last.pt to train from the start"
            )
        self.bare_model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.combination.load_state_dict(state["combination"])
        if state["scaler"] is not None:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.epoch, self.step = state["epoch"], state["step"]
        self.steps_taken = state.get("steps_taken", 0)  # which states of earlier versions lack, and had no use for
        self.sums, self.history = state["sums"], state["history"]


def end_together(runs: Sequence[Run]) -> None:
    """End the training of these runs in all processes, and their process group.

    A process is aborted by a group that ends while it is at work, and at times when it ends itself while it has its
    group still, or anything that holds on to it.
    """
    runs[0].accelerator.wait_for_everyone()
    for run in runs:
        run.let_go()
    for run in runs:
        run.accelerator.end_training()
