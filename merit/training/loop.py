"""The training loop of both phases: epochs, the dev set, saved states, early stopping."""

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.utils.data import DataLoader

from merit.data.audio import SAMPLE_RATE
from merit.data.batching import EpochSampler
from merit.data.dataset import Batch, CollateMicroBatches, UtteranceDataset
from merit.errors import MeritError
from merit.metrics.f1 import f1_macro
from merit.nets.model import MeritModel
from merit.progress import progress
from merit.training.accelerator import make_optimizer
from merit.training.checkpoint import load_state, save_history, save_state, save_weights
from merit.training.combination import make_combination
from merit.training.config import TrainingConfig
from merit.training.objective import JointObjective
from merit.training.routing_usage import routing_counts, routing_shares, routing_warnings

Prepare = Callable[[Batch, int | None], Batch]
"""Completes a batch on its device; its second argument is the epoch in training and None on the dev set."""


def read(loader: DataLoader) -> Iterator[list[Batch]]:
    """The loader's batches; an error of a worker process keeps its message and loses its traceback."""
    try:
        yield from loader
    except MeritError as error:
        raise MeritError(str(error).rsplit("MeritError: ", 1)[-1].strip()) from None


class Trainer:
    """Trains one model and keeps the weights of its best epoch on the dev set.

    Everything random in a step follows from the seed and the number of the step, so a run that was killed and
    continued from its last saved state takes the same steps as one that was not.

    Args:
        model: the model to train.
        objective: its losses.
        train_set, dev_set: utterances; the dev set is used whole, without crops.
        config: options of the run.
        output: directory of the run, with its ``config.json`` written already.
        seed: of batches, crops and dropout.
        accelerator: from :func:`merit.training.accelerator.make_accelerator`.
        prepare: completes a batch on its device (states of a frozen encoder, crops).
    """

    def __init__(
        self,
        model: MeritModel,
        objective: JointObjective,
        train_set: UtteranceDataset,
        dev_set: UtteranceDataset,
        config: TrainingConfig,
        output: Path,
        seed: int,
        accelerator: Accelerator,
        prepare: Prepare = lambda batch, epoch: batch,
    ) -> None:
        for dataset in (train_set, dev_set):
            if len(dataset) < accelerator.num_processes:
                raise MeritError(
                    f"{dataset.directory}: {len(dataset)} utterances for {accelerator.num_processes} processes; "
                    "every process needs one"
                )
        self.objective = objective
        self.config = config
        self.output = output
        self.seed = seed
        self.accelerator = accelerator
        self.prepare = prepare
        optimizer = make_optimizer(model, config, accelerator.device)
        self.model, self.optimizer = accelerator.prepare(model, optimizer)
        self.combination = make_combination(config, self.model, accelerator, objective.tasks)
        self.train_sampler = self._sampler(train_set, shuffle=True)
        self.train_loader = self._loader(train_set, self.train_sampler)
        self.dev_loader = self._loader(dev_set, self._sampler(dev_set, shuffle=False))
        self.epoch = 0
        self.step = 0
        self.sums: dict[str, float] = {}
        self.history: list[dict[str, float]] = []
        self.saved_at = time.monotonic()

    def _sampler(self, dataset: UtteranceDataset, shuffle: bool) -> EpochSampler:
        return EpochSampler(
            dataset.samples,
            self.config.batch_size,
            seed=self.seed,
            shards=dataset.shards,
            shuffle=shuffle,
            rank=self.accelerator.process_index,
            world_size=self.accelerator.num_processes,
        )

    def _loader(self, dataset: UtteranceDataset, sampler: EpochSampler) -> DataLoader:
        return DataLoader(
            dataset,
            batch_sampler=sampler,
            collate_fn=CollateMicroBatches(self.config.micro_batch_size),
            num_workers=self.config.workers,
            persistent_workers=self.config.workers > 0,
            pin_memory=self.accelerator.device.type == "cuda",
        )

    # The run

    def fit(self) -> None:
        """Train until the last epoch or until patience ends, from the last saved state if there is one."""
        self._restore()
        while self.epoch < self.config.epochs and not self._out_of_patience():
            self._train_epoch()
            self._end_epoch()
        best = self._best()
        logging.info("%s: best epoch %d, dev criterion %.4f", self.output, best["epoch"], best["dev_criterion"])
        if self.config.keep == "last":
            logging.info("%s: the weights of the last epoch, %d, are kept", self.output, self.epoch)
        self.accelerator.end_training()

    def _best(self) -> dict[str, float]:
        return min(self.history, key=lambda row: row["dev_criterion"])

    def _out_of_patience(self) -> bool:
        if self.config.patience is None or not self.history:
            return False
        return self.epoch - self._best()["epoch"] >= self.config.patience

    def _train_epoch(self) -> None:
        self.model.train()
        self.train_sampler.start_at(self.epoch, self.step)
        left = [self.train_sampler.lengths[index] for batch in self.train_sampler.batches for index in batch]
        with progress(
            self._seconds(torch.tensor(left)),
            f"epoch {self.epoch + 1}/{self.config.epochs}",
            " audio-s",
            unit_scale=True,
        ) as bar:
            for batches in read(self.train_loader):
                values = self._train_step(batches)
                bar.update(sum(self._seconds(batch.lengths) for batch in batches) * self.accelerator.num_processes)
                bar.set_postfix({name: f"{value:.3f}" for name, value in values.items()})
                self.step += 1
                if time.monotonic() - self.saved_at > 60 * self.config.checkpoint_minutes:
                    self._save()

    def _seconds(self, samples: Tensor) -> float:
        """Audio that is trained on of utterances of so many samples (B,): their crops where crops are taken."""
        if self.config.crop_seconds is not None:
            samples = samples.clamp_max(round(self.config.crop_seconds * SAMPLE_RATE))
        return samples.sum().item() / SAMPLE_RATE

    def _train_step(self, batches: list[Batch]) -> dict[str, float]:
        # One seed a step and process makes dropout independent of how the run got here.
        torch.manual_seed(hash((self.seed, self.epoch, self.step, self.accelerator.process_index)) % 2**63)
        device = self.accelerator.device
        batches = [self.prepare(batch.to(device), self.epoch) for batch in batches]
        denominators = self._added(self.objective.denominators(batch) for batch in batches)
        denominators = {name: self.accelerator.reduce(value, "sum") for name, value in denominators.items()}
        step_sums: dict[str, Tensor] = {}
        for place, batch in enumerate(batches):
            with self.combination.step_part(last=place == len(batches) - 1):
                with self.accelerator.autocast():
                    output = self.model(batch.noisy, batch.lengths, batch.states, batch.frame_lengths)
                    sums = self.objective.sums(output, batch)
                losses = self.objective.weighted({name: value / denominators[name] for name, value in sums.items()})
                loss = sum(losses.values())
                if not bool(torch.isfinite(loss)):
                    raise MeritError(
                        f"{self.output}: the loss is {loss.item()} in epoch {self.epoch + 1}, step {self.step + 1}, "
                        f"with the utterances {' '.join(batch.keys)}; look at their audio, or use a lower learning "
                        "rate or --training.precision float32"
                    )
                self.combination.backward(losses)
            step_sums = self._added([step_sums, {name: value.detach() for name, value in sums.items()}])
        values = {}
        for name, value in step_sums.items():
            total, denominator = float(self.accelerator.reduce(value, "sum")), float(denominators[name])
            values[name] = total / denominator
            self.sums[name] = self.sums.get(name, 0.0) + total
            self.sums[f"{name}/denominator"] = self.sums.get(f"{name}/denominator", 0.0) + denominator
        self.combination.finish(self.objective.weighted(values))
        if self.config.gradient_clip is not None:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return values

    @staticmethod
    def _added(parts: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
        total: dict[str, Tensor] = {}
        for part in parts:
            for name, value in part.items():
                total[name] = total[name] + value if name in total else value
        return total

    # The end of an epoch

    @torch.no_grad()
    def evaluate(self) -> tuple[dict[str, float], dict[str, Tensor]]:
        """Losses over the whole dev set and how the gates route it.

        Returns:
            losses, their weighted sum as ``criterion``, and F1-macro where emotions are known; and the added
            :func:`merit.training.routing_usage.routing_counts`, none for a model that does not route.
        """
        model = self.accelerator.unwrap_model(self.model)
        model.eval()
        totals: dict[str, Tensor] = {}
        routed: dict[str, Tensor] = {}
        confusion = torch.zeros(len(self.objective.class_weights), len(self.objective.class_weights))
        for batches in read(self.dev_loader):
            for batch in batches:
                batch = self.prepare(batch.to(self.accelerator.device), None)
                with self.accelerator.autocast():
                    output = model(batch.noisy, batch.lengths, batch.states, batch.frame_lengths)
                    sums = self.objective.sums(output, batch)
                denominators = self.objective.denominators(batch)
                totals = self._added([totals, sums, {f"{name}/of": value for name, value in denominators.items()}])
                routed = self._added([routed, routing_counts(output.routing)])
                if output.emotion is not None:
                    for truth, guess in zip(batch.labels.tolist(), output.emotion.argmax(dim=-1).tolist()):
                        confusion[truth, guess] += 1
        totals = {name: self.accelerator.reduce(value, "sum") for name, value in sorted(totals.items())}
        losses = {
            name: float(value / totals[f"{name}/of"]) for name, value in totals.items() if not name.endswith("/of")
        }
        tasks = {name: value for name, value in losses.items() if name in self.objective.tasks}
        losses["criterion"] = self.objective.total(tasks)
        if not math.isfinite(losses["criterion"]):
            raise MeritError(
                f"{self.output}: the dev criterion is {losses['criterion']} after epoch {self.epoch + 1}; look at the "
                "dev audio, or use a lower learning rate or --training.precision float32"
            )
        if "emotion" in tasks:
            confusion = self.accelerator.reduce(confusion.to(self.accelerator.device), "sum")
            losses["f1_macro"] = f1_macro(confusion.cpu().numpy())
        return losses, {name: self.accelerator.reduce(value, "sum") for name, value in routed.items()}

    def _end_epoch(self) -> None:
        train = {
            name: value / self.sums[f"{name}/denominator"]
            for name, value in self.sums.items()
            if not name.endswith("/denominator")
        }
        dev, routed = self.evaluate()
        self.epoch += 1
        self.step = 0
        self.sums = {}
        row = {"epoch": self.epoch}
        row |= {f"train_{name}": value for name, value in train.items()} | {
            f"dev_{name}": value for name, value in dev.items()
        }
        row |= {f"weight_{name}": value for name, value in self.combination.task_weights().items()}
        row |= routing_shares(routed)
        self.history.append(row)
        self.accelerator.log({name: value for name, value in row.items() if name != "epoch"}, step=self.epoch)
        logging.info("%s", "  ".join(f"{name} {value:.4g}" for name, value in row.items()))
        for warning in routing_warnings(routed, self.accelerator.unwrap_model(self.model).config):
            logging.warning("%s: epoch %d: %s", self.output, self.epoch, warning)
        if self.accelerator.is_main_process:
            if self.config.keep == "last" or self._best() is row:
                save_weights(self.accelerator.unwrap_model(self.model), self.output)
            save_history(self.history, self.output)
        self._save()

    # Saved states

    def _save(self) -> None:
        self.saved_at = time.monotonic()
        if not self.accelerator.is_main_process:
            return
        scaler = self.accelerator.scaler
        save_state(
            {
                "model": self.accelerator.unwrap_model(self.model).state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "combination": self.combination.state_dict(),
                "scaler": None if scaler is None else scaler.state_dict(),
                "epoch": self.epoch,
                "step": self.step,
                "sums": self.sums,
                "history": self.history,
            },
            self.output,
        )

    def _restore(self) -> None:
        state = load_state(self.output)
        if state is None:
            return
        if state["history"] and not (self.output / "model.safetensors").exists():
            raise MeritError(
                f"{self.output / 'model.safetensors'}: the weights of the best epoch are gone, and last.pt does not "
                "hold them; put them back, or remove last.pt to train from the start"
            )
        self.accelerator.unwrap_model(self.model).load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.combination.load_state_dict(state["combination"])
        if state["scaler"] is not None:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.epoch, self.step = state["epoch"], state["step"]
        self.sums, self.history = state["sums"], state["history"]
        logging.info("%s: going on from epoch %d, step %d", self.output, self.epoch + 1, self.step + 1)
