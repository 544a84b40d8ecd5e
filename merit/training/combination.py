"""How the losses of two tasks become one optimiser step: summed, weighted by learnt factors, or by gradient surgery."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from merit.errors import MeritError
from merit.objectives.gradnorm import gradnorm_loss, renormalise
from merit.objectives.pcgrad import combine
from merit.objectives.uncertainty import INITIAL_LOG_SIGMA, UncertaintyForm, uncertainty_loss, uncertainty_weights
from merit.training.config import TrainingConfig
from merit.training.contract import Objective

Losses = dict[str, Tensor]
"""Task -> loss of a micro-batch, divided by the denominator of the whole optimiser step. Micro-batches and processes
add up. Penalties, which are no tasks, may be among them."""


class Combination:
    """Turns losses into gradients: the sum of paper Eq. 11, unless a subclass does it otherwise.

    One step is ``backward`` for every micro-batch, then ``finish``.

    Args:
        model: as the accelerator prepared it.
        accelerator: of the run.
        tasks: names of the losses that are tasks.
    """

    def __init__(self, model: nn.Module, accelerator: Accelerator, tasks: tuple[str, ...]) -> None:
        self.model = model
        self.accelerator = accelerator
        self.tasks = tasks
        self.gradients: dict[str, list[Tensor | None]] = {}  # of each task, where they are needed apart

    def step_part(self, last: bool) -> AbstractContextManager:
        """Context of one micro-batch's forward and backward pass: processes exchange gradients in the last one."""
        return nullcontext() if last else self.accelerator.no_sync(self.model)

    def backward(self, losses: Losses) -> None:
        """Add the gradients of one micro-batch."""
        # Processes average their gradients; the losses are to be added.
        self.accelerator.backward(sum(losses.values()) * self.accelerator.num_processes)

    def finish(self, values: dict[str, float]) -> None:
        """Complete the gradients; ``values`` are the losses of the whole step, the same in every process."""

    def abandon(self) -> None:
        """Forget the gradients of a step that is not completed."""
        self.gradients = {}

    def task_weights(self) -> dict[str, float]:
        """Learnt factor of each task, empty where nothing is learnt."""
        return {}

    def state_dict(self) -> dict:
        """What a run needs to go on."""
        return {}

    def load_state_dict(self, state: dict) -> None:
        """Go on from such a state."""


class LearntWeights(Combination):
    """A sum with a factor for each task that is learnt beside the model, by Adam, once a step.

    The factors are fixed within a step, so its micro-batches and processes need not share their gradients.
    """

    def __init__(
        self,
        model: nn.Module,
        accelerator: Accelerator,
        tasks: tuple[str, ...],
        initial: float,
        learning_rate: float,
    ) -> None:
        super().__init__(model, accelerator, tasks)
        self.parameters = torch.full((len(tasks),), initial, dtype=torch.float64, requires_grad=True)
        self.optimizer = torch.optim.Adam([self.parameters], lr=learning_rate)

    def backward(self, losses: Losses) -> None:
        """See :class:`Combination`."""
        weights = self.task_weights()
        super().backward({name: weights.get(name, 1.0) * loss for name, loss in losses.items()})

    def _update(self, loss: Tensor) -> None:
        (self.parameters.grad,) = torch.autograd.grad(loss, self.parameters)
        self.optimizer.step()

    def state_dict(self) -> dict:
        """See :class:`Combination`."""
        return {"parameters": self.parameters.detach(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """See :class:`Combination`."""
        with torch.no_grad():
            self.parameters.copy_(state["parameters"])
        self.optimizer.load_state_dict(state["optimizer"])


class Uncertainty(LearntWeights):
    """Kendall et al. 2018: factors ``c / sigma^2`` with ``log sigma`` learnt (:mod:`merit.objectives.uncertainty`)."""

    def __init__(
        self,
        model: nn.Module,
        accelerator: Accelerator,
        tasks: tuple[str, ...],
        form: UncertaintyForm,
        learning_rate: float,
    ) -> None:
        super().__init__(model, accelerator, tasks, INITIAL_LOG_SIGMA[form], learning_rate)
        self.form = form

    def task_weights(self) -> dict[str, float]:
        """See :class:`Combination`."""
        return {name: value.item() for name, value in uncertainty_weights(self._log_sigma(), self.form).items()}

    def finish(self, values: dict[str, float]) -> None:
        """See :class:`Combination`."""
        losses = {task: torch.tensor(values[task], dtype=torch.float64) for task in self.tasks}
        self._update(uncertainty_loss(losses, self._log_sigma(), self.form))

    def _log_sigma(self) -> dict[str, Tensor]:
        return dict(zip(self.tasks, self.parameters.unbind()))


class GradNorm(LearntWeights):
    """Chen et al. 2018: factors that even out the tasks' gradients at ``shared``, the last layer they share."""

    def __init__(
        self,
        model: nn.Module,
        accelerator: Accelerator,
        tasks: tuple[str, ...],
        shared: Sequence[nn.Parameter],
        alpha: float,
        learning_rate: float,
    ) -> None:
        super().__init__(model, accelerator, tasks, 1.0, learning_rate)
        self.alpha = alpha
        self.initial_losses: Tensor | None = None
        self.shared = [parameter for parameter in shared if parameter.requires_grad]

    def backward(self, losses: Losses) -> None:
        """See :class:`Combination`."""
        for task in self.tasks:
            found = torch.autograd.grad(losses[task], self.shared, retain_graph=True, allow_unused=True)
            found = [torch.zeros_like(p) if g is None else g for p, g in zip(self.shared, found)]
            before = self.gradients.get(task)
            self.gradients[task] = found if before is None else [a + b for a, b in zip(before, found)]
        super().backward(losses)

    def task_weights(self) -> dict[str, float]:
        """See :class:`Combination`."""
        return dict(zip(self.tasks, self.parameters.tolist()))

    def finish(self, values: dict[str, float]) -> None:
        """See :class:`Combination`."""
        norms = []
        for task in self.tasks:
            gradients = [self.accelerator.reduce(gradient, "sum") for gradient in self.gradients[task]]
            norms.append(torch.stack([gradient.float().square().sum() for gradient in gradients]).sum().sqrt())
        self.gradients = {}
        losses = torch.tensor([values[task] for task in self.tasks], dtype=torch.float64)
        if self.initial_losses is None:
            self.initial_losses = losses
        norms = torch.stack(norms).double().cpu()
        if norms.isfinite().all():  # the scaler of float16 passes over a step in which they are not
            self._update(gradnorm_loss(self.parameters, norms, losses, self.initial_losses, self.alpha))
            renormalise(self.parameters)

    def state_dict(self) -> dict:
        """See :class:`Combination`."""
        return super().state_dict() | {"initial_losses": self.initial_losses}

    def load_state_dict(self, state: dict) -> None:
        """See :class:`Combination`."""
        super().load_state_dict(state)
        self.initial_losses = state["initial_losses"]


class PCGrad(Combination):
    """Yu et al. 2020: tasks' gradients that conflict are projected before they are summed.

    Each task's gradient is held for itself until the step's end, which takes as much memory as the parameters do.
    """

    def __init__(self, model: nn.Module, accelerator: Accelerator, tasks: tuple[str, ...]) -> None:
        super().__init__(model, accelerator, tasks)
        self.parameters = [p for p in model.parameters() if p.requires_grad]

    def step_part(self, last: bool) -> AbstractContextManager:
        """Gradients are exchanged task by task at the end, never in a backward pass."""
        return super().step_part(last=False)

    def backward(self, losses: Losses) -> None:
        """See :class:`Combination`."""
        scaler = self.accelerator.scaler
        for task in self.tasks:
            loss = losses[task] if scaler is None else scaler.scale(losses[task])
            found = torch.autograd.grad(loss, self.parameters, retain_graph=task != self.tasks[-1], allow_unused=True)
            before = self.gradients.get(task, [None] * len(found))
            self.gradients[task] = [b if a is None else (a if b is None else a + b) for a, b in zip(before, found)]

    def finish(self, values: dict[str, float]) -> None:
        """See :class:`Combination`."""
        gradients = [
            [
                None if gradient is None else self.accelerator.reduce(gradient, "sum")
                for gradient in self.gradients[task]
            ]
            for task in self.tasks
        ]
        self.gradients = {}
        reached = [
            i for i in range(len(self.parameters)) if any(task_values[i] is not None for task_values in gradients)
        ]
        for i, gradient in zip(reached, combine([[task_values[i] for i in reached] for task_values in gradients])):
            self.parameters[i].grad = gradient


def make_combination(
    config: TrainingConfig, model: nn.Module, accelerator: Accelerator, objective: Objective
) -> Combination:
    """The combination that ``training.combine`` names.

    Raises:
        MeritError: when there are not two tasks to combine.
    """
    name, tasks = config.combine, objective.tasks
    if name == "sum":
        return Combination(model, accelerator, tasks)
    if len(tasks) < 2:
        raise MeritError(f"training.combine: {name} needs two tasks, this model has {' '.join(tasks)}; set it to sum")
    learning_rate = (
        config.learning_rate if config.task_weight_learning_rate is None else config.task_weight_learning_rate
    )
    if name == "gradnorm":
        shared = objective.shared_parameters(accelerator.unwrap_model(model))
        return GradNorm(model, accelerator, tasks, shared, config.gradnorm_alpha, learning_rate)
    if name == "pcgrad":
        return PCGrad(model, accelerator, tasks)
    form = "kendall" if name == "uncertainty" else "authors"
    return Uncertainty(model, accelerator, tasks, form, learning_rate)
