"""The training loop: one or more runs that learn from the same batches, epoch by epoch."""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import DataLoader

from merit.data.batching import CollateMicroBatches, EpochSampler
from merit.errors import MeritError
from merit.memory import give_back_memory
from merit.progress import progress
from merit.training.ahead import Prepare, prepared_ahead
from merit.training.contract import Batch, Examples
from merit.training.run import Run, end_together
from merit.training.stopping import StopRequest, ignore_interrupts


def read(loader: DataLoader) -> Iterator[list[Batch]]:
    """The loader's batches; an error of a worker process keeps its message and loses its traceback."""
    try:
        yield from loader
    except MeritError as error:
        raise MeritError(str(error).rsplit("MeritError: ", 1)[-1].strip()) from None


class Trainer:
    """Reads and prepares every batch once and lets all runs learn from it.

    The utterances that are prepared at once, a *chunk*, are those of the largest ``batch_size`` of the runs; a run with
    a smaller one takes several optimiser steps from a chunk. A run takes the same steps whatever is trained beside it,
    as long as the chunks are as large and come in the same order.

    A run that is done drops out. One whose saved state is ahead of that of another waits for it.

    Args:
        runs: the runs; options that say how data are read and put together are the same in all.
        train_set, dev_set: utterances; the dev set is used whole, without crops.
        order_seed: of the batches.
        prepare: brings a batch to the device and completes it there (states of a frozen encoder).

    Raises:
        MeritError: when there are fewer utterances than processes, or the batches of the runs do not fit together.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        train_set: Examples,
        dev_set: Examples,
        order_seed: int,
        prepare: Prepare | None = None,
    ) -> None:
        self.runs = list(runs)
        self.stop = StopRequest()
        accelerator = self.runs[0].accelerator
        self.device, self.processes = accelerator.device, accelerator.num_processes
        self.rank = accelerator.process_index
        for dataset in (train_set, dev_set):
            if len(dataset) < self.processes:
                raise MeritError(
                    f"{dataset.directory}: {len(dataset)} utterances for {self.processes} processes; "
                    "every process needs one"
                )
        self.chunk_seconds = self._common("batch_seconds")
        self.chunk_size, self.smallest_size = self._chunk_sizes()
        self.prepare = prepare or (lambda batch: batch.to(self.device))
        self.side = torch.cuda.Stream(self.device) if self.device.type == "cuda" else None
        self.train_sampler = self._sampler(train_set, order_seed, shuffle=True)
        dev_sampler = self._sampler(dev_set, order_seed, shuffle=False)
        for sampler, dataset in ((self.train_sampler, train_set), (dev_sampler, dev_set)):
            if not any(len(batch) >= self.processes for batch in sampler.batches):
                raise MeritError(
                    f"{dataset.directory}: no batch of {self.chunk_seconds:g} s (training.batch_seconds) has an "
                    f"utterance for each of the {self.processes} processes; give a larger one"
                )
        self.train_loader = self._loader(train_set, self.train_sampler)
        self.dev_loader = self._loader(dev_set, dev_sampler)
        self.seconds = train_set.seconds

    def _common(self, name: str) -> object:
        values = [getattr(run.config, name) for run in self.runs]
        if any(value != values[0] for value in values):
            raise MeritError(
                f"training.{name} is {' and '.join(str(value) for value in dict.fromkeys(values))} in runs that share "
                "their batches; set it to the same value, or train them one by one"
            )
        return values[0]

    def _chunk_sizes(self) -> tuple[int, int | None]:
        """Utterances of a chunk and of the smallest step, None for the latter where every step is a whole chunk."""
        sizes = sorted({run.config.batch_size for run in self.runs})
        if self.chunk_seconds is not None or len(sizes) == 1:
            return sizes[-1], None
        if any(sizes[-1] % size or size % sizes[0] for size in sizes) or sizes[0] % self.processes:
            raise MeritError(
                f"training.batch_size is {', '.join(map(str, sizes))} in runs that share their batches; each must "
                "divide the largest and be a multiple of the smallest, which must be one of the number of processes, "
                f"{self.processes}. Choose other sizes, or train them one by one"
            )
        return sizes[-1], sizes[0]

    def _sampler(self, dataset: Examples, seed: int, shuffle: bool) -> EpochSampler:
        return EpochSampler(
            dataset.samples,
            self.chunk_size,
            seed=seed,
            shards=dataset.shards,
            shuffle=shuffle,
            rank=self.rank,
            world_size=self.processes,
            batch_seconds=self.chunk_seconds,
            groups=dataset.groups,
        )

    def _loader(self, dataset: Examples, sampler: EpochSampler) -> DataLoader:
        workers = max(run.config.workers for run in self.runs)
        return DataLoader(
            dataset,
            batch_sampler=sampler,
            collate_fn=CollateMicroBatches(
                dataset.collate,
                min(run.config.micro_batch_size for run in self.runs),
                self._common("micro_batch_seconds"),
                None if self.smallest_size is None else self.smallest_size // self.processes,
            ),
            num_workers=workers,
            worker_init_fn=ignore_interrupts,
            persistent_workers=workers > 0,
            pin_memory=self.device.type == "cuda",
        )

    # The run

    def fit(self) -> None:
        """Train every run until its last epoch or the end of its patience, from its last saved state if it has one.

        Raises:
            KeyboardInterrupt: after Ctrl-C, with the states saved.
        """
        for run in self.runs:
            run.restore()
        with self.stop:
            while unfinished := [run for run in self.runs if not run.finished]:
                epoch = min(run.epoch for run in unfinished)
                training = [run for run in unfinished if run.epoch == epoch]
                self.train_epoch(epoch, training)
                self._evaluate(training)
                give_back_memory()
        for run in self.runs:
            run.report()
        end_together(self.runs)

    def train_epoch(self, epoch: int, runs: Sequence[Run]) -> None:
        """Take the steps of an epoch that are left to these runs."""
        self.train_sampler.start_at(epoch, 0)
        chunks = self.train_sampler.batches
        done = [self._chunks_done(run, chunks) for run in runs]
        start = min(done)
        self.train_sampler.start_at(epoch, start)
        seconds = [sum(self.seconds[index] for index in chunk) for chunk in chunks]
        last = max(run.config.epochs for run in runs)
        for run in runs:
            run.steps_in_epoch = sum(self._step_count(run, len(chunk)) for chunk in chunks)
        with progress(sum(seconds[start:]), f"epoch {epoch + 1}/{last}", " audio-s", unit_scale=True) as bar:
            prepared = prepared_ahead(read(self.train_loader), self.prepare, self.side)
            for place, batches in enumerate(prepared, start):
                behind = [run for run, chunks_done in zip(runs, done) if chunks_done <= place]
                values = self._train_chunk(behind, len(chunks[place]), batches)
                bar.update(seconds[place])
                bar.set_postfix({name: f"{value:.3f}" for name, value in values.items()})
                self.stop.carry_out(self.runs)

    def _train_chunk(self, runs: Sequence[Run], utterances: int, batches: Sequence[Batch]) -> dict[str, float]:
        """Let the runs learn from a chunk, which has so many utterances in all processes; gives their last losses."""
        shown = {}
        for run in runs:
            name = "" if len(self.runs) == 1 else f"{run.output.name} "
            for step in self._steps(run, utterances, batches):
                shown |= {f"{name}{task}": value for task, value in run.train_step(step).items()}
            run.save_when_due()
        return shown

    def _chunks_done(self, run: Run, chunks: Sequence[Sequence[int]]) -> int:
        """Chunks of the epoch from which the run has taken its steps already."""
        steps = 0
        for place, chunk in enumerate(chunks):
            if steps >= run.step:
                return place
            steps += self._step_count(run, len(chunk))
        return len(chunks)

    def _step_count(self, run: Run, utterances: int) -> int:
        """Optimiser steps that a run takes from a chunk of so many utterances; a step has one for each process."""
        if self.smallest_size is None:
            return 1
        size = run.config.batch_size
        return sum(min(size, utterances - start) >= self.processes for start in range(0, utterances, size))

    def _steps(self, run: Run, utterances: int, batches: Sequence[Batch]) -> list[list[Batch]]:
        """The micro-batches of a chunk by the run's steps."""
        count = self._step_count(run, utterances)
        if self.smallest_size is None:
            return [list(batches)]
        steps: list[list[Batch]] = [[] for _ in range(count + 1)]  # one more, for utterances that are left out
        seen = 0
        for batch in batches:
            steps[min(count, seen // (run.config.batch_size // self.processes))].append(batch)
            seen += len(batch.keys)
        return steps[:count]

    def _evaluate(self, runs: Sequence[Run]) -> None:
        evaluations = [run.evaluation() for run in runs]
        for batches in prepared_ahead(read(self.dev_loader), self.prepare, self.side):
            for evaluation in evaluations:
                evaluation.add(batches)
            if self.processes == 1:  # of several, one may have a batch more than another
                self.stop.carry_out(self.runs)
        for run, evaluation in zip(runs, evaluations):
            run.end_epoch(evaluation)
