"""Which experts the gates of a model choose, by the labels that given routing would have chosen them by."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from merit.data.batching import length_batches
from merit.data.datadir import BANDWIDTHS
from merit.device import autocast
from merit.systems.smoe.smoe_config import TASKS
from merit.systems.smoe.speech_dataset import SpeechDataset
from merit.systems.smoe.speech_decoding import Recogniser


@torch.inference_mode()
def routing_shares(recogniser: Recogniser, data: Sequence[Path], batch_seconds: float) -> list[dict[str, Any]]:
    """Share of the frames and tokens that the gate of each block sends to each expert.

    The decoder reads the texts of the data directories, as in training.

    Args:
        recogniser: a model with learned routing.
        data: data directories with wav.scp, utt2bw and the texts of all tasks.
        batch_seconds: padded audio computed at once.

    Returns:
        a row for each block, bandwidth and task: ``layer`` ("encoder 1", ...), ``bandwidth``, ``task``, ``shares`` (N).

    Raises:
        MeritError: when a table is wrong, or an utterance or its text is longer than the model takes.
    """
    dataset = SpeechDataset(data, recogniser.vocabulary, recogniser.languages, recogniser.model.config)
    counts: dict[tuple[str, int, int], torch.Tensor] = defaultdict(lambda: torch.zeros((), dtype=torch.long))
    examples = list(zip(dataset.groups, dataset.seconds))
    for task in dataset.tasks:
        seconds = {place: length for place, (group, length) in enumerate(examples) if group == task}
        for places in length_batches(seconds, batch_seconds):
            batch = dataset.collate([dataset[place, 0] for place in places]).to(recogniser.device)
            with autocast(recogniser.precision, recogniser.device):
                output = recogniser.model(
                    batch.features, batch.frames, batch.bandwidths, batch.tokens, batch.token_mask
                )
            for routed in output.routing:
                for bandwidth, chosen in zip(batch.bandwidths, routed.weights.ne(0).sum(dim=1).cpu()):
                    counts[routed.name, bandwidth, task] = counts[routed.name, bandwidth, task] + chosen
    return [
        {
            "layer": layer,
            "bandwidth": BANDWIDTHS[bandwidth],
            "task": TASKS[task],
            "shares": (count / count.sum()).tolist(),
        }
        for (layer, bandwidth, task), count in counts.items()
    ]


def told_apart(shares: Sequence[Sequence[float]]) -> float:
    """How well the expert tells a label: balanced accuracy when each expert stands for the label it has more of.

    1 is routing as it would be given by the label, one divided by the number of labels a gate that does not see it.

    Args:
        shares: of each label (G, N).
    """
    return sum(map(max, zip(*shares))) / len(shares)
