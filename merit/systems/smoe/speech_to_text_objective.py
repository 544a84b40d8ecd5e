"""What S-MoE is trained for, over a batch that may be in micro-batches and processes."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from merit.objectives.balancing import switch_balancing_loss
from merit.systems.smoe.smoe_config import TASKS
from merit.systems.smoe.smoe_training import SmoeTraining
from merit.systems.smoe.speech_batch import UNSCORED, SpeechBatch
from merit.systems.smoe.speech_to_text_model import SpeechToText, SpeechToTextOutput
from merit.systems.smoe.vocabulary import UNKNOWN
from merit.training.contract import Criterion, Summary

NOTHING = 1e-12
"""Denominator of a loss that no utterance of a step has: the loss is then 0, and beside whole numbers it is nothing."""

RARELY_USED = 0.05
"""An expert with a smaller share of the frames of a learned gate is as good as lost."""


class SpeechToTextObjective:
    """Label-smoothed cross-entropy of each task, and CTC of the encoder, as sums with denominators.

    The :class:`merit.training.contract.Objective` of a :class:`merit.systems.smoe.speech_to_text_model.SpeechToText`.
    Tags and padding count nothing. Epochs are chosen by the mean cross-entropy of the tasks.

    Args:
        training: options.
        tasks: numbers of the tasks that are trained.
        ctc: the model has a CTC layer.
        learned: the model has gates.
    """

    def __init__(self, training: SmoeTraining, tasks: list[int], ctc: bool, learned: bool) -> None:
        self.training = training
        self.tasks = tuple(TASKS[task] for task in tasks)
        self.ctc = ctc
        self.learned = learned
        self.criterion = Criterion("loss", higher_is_better=False)

    def forward(self, model: nn.Module, batch: SpeechBatch) -> SpeechToTextOutput:
        """Run the model on a batch, by the experts of its labels."""
        return model(batch.features, batch.frames, batch.bandwidths, batch.tokens, batch.token_mask, batch.task)

    def weights(self, progress: float) -> dict[str, float]:
        """Factor of each loss."""
        ctc = self.training.ctc_weight if self.ctc else 0.0
        return {task: 1 - ctc for task in self.tasks} | {"ctc": ctc, "balance": self.training.balance_weight}

    def denominators(self, batch: SpeechBatch) -> dict[str, Tensor]:
        """Scored tokens of each task, tokens of the transcripts, utterances."""
        scored = batch.targets.ne(UNSCORED).sum().float()
        nothing = torch.full_like(scored, NOTHING)
        found = {task: scored if task == TASKS[batch.task] else nothing for task in self.tasks}
        if self.ctc:
            found["ctc"] = batch.transcript_lengths.sum().float().to(scored.device, non_blocking=True)
        if self.learned:
            found["balance"] = torch.full_like(scored, len(batch.keys))
        return found

    def sums(self, output: SpeechToTextOutput, batch: SpeechBatch) -> dict[str, Tensor]:
        """The sum of each loss over this batch; balancing counts by utterances."""
        loss = functional.cross_entropy(
            output.logits.float().flatten(0, 1),
            batch.targets.flatten(),
            ignore_index=UNSCORED,
            label_smoothing=self.training.label_smoothing,
            reduction="sum",
        )
        found = {task: loss if task == TASKS[batch.task] else torch.zeros_like(loss) for task in self.tasks}
        if self.ctc:
            found["ctc"] = functional.ctc_loss(
                output.ctc.float().log_softmax(dim=-1).transpose(0, 1),
                batch.transcripts,
                output.frames,
                batch.transcript_lengths,
                blank=UNKNOWN,  # no text has it: what is not in the vocabulary is spelt in bytes
                reduction="sum",
                zero_infinity=True,
            )
        if self.learned:
            losses = [switch_balancing_loss(routed) for routed in output.routing]
            found["balance"] = torch.stack(losses).mean() * len(batch.keys)
        return found

    def counts(self, output: SpeechToTextOutput, batch: SpeechBatch) -> dict[str, Tensor]:
        """Scored tokens of each task and those that were right; frames and tokens that learned gates gave each expert.

        Every batch has the same entries, so that processes can add them up.
        """
        scored = batch.targets.ne(UNSCORED)
        right = (output.logits.argmax(dim=-1) == batch.targets) & scored
        here = torch.tensor([task == TASKS[batch.task] for task in self.tasks], device=scored.device)
        found = {"right": right.sum() * here, "scored": scored.sum() * here}
        for side in ("encoder", "decoder"):
            if sent := [routed.weights.ne(0) for routed in output.routing if routed.name.startswith(side)]:
                found[side] = torch.stack([chosen.sum(dim=(0, 1)) for chosen in sent])
        return found

    def summary(self, losses: dict[str, float], counts: dict[str, Tensor]) -> Summary:
        """What a dev set comes to: losses and their mean, accuracy of the tokens, use of experts by learned gates."""
        values = dict(losses)
        values["loss"] = sum(losses[task] for task in self.tasks) / len(self.tasks)
        accuracy = (counts["right"] / counts["scored"]).tolist()
        values |= {f"accuracy_{task}": value for task, value in zip(self.tasks, accuracy)}
        usage, warnings = {}, []
        for side in ("encoder", "decoder"):
            if side in counts:
                shares = counts[side] / counts[side].sum(dim=1, keepdim=True)
                means = shares.mean(dim=0).tolist()
                usage |= {f"usage_{side}_{number}": share for number, share in enumerate(means)}
                lost = (shares.min(dim=1).values < RARELY_USED).nonzero().flatten().tolist()
                warnings += [f"an expert of {side} block {place + 1} gets hardly anything" for place in lost]
        return Summary(values, usage, warnings)

    def shared_parameters(self, model: SpeechToText) -> list[nn.Parameter]:
        """The encoder's last normalisation."""
        return list(model.speech.norm.parameters())
