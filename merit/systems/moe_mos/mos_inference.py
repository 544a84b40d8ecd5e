"""A trained model for people: audio of any length and rate in; a mean opinion score out.

>>> mos = MoeMos.from_pretrained("exp/moe_mos-7")
>>> mos(waveform, sample_rate).mos
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from merit.data.audio_stream import stream_audio
from merit.data.batching import length_batches
from merit.data.waveform import check_length, mono_at_16_khz
from merit.device import Precision, autocast, precision_of_use, usable_device
from merit.errors import MeritError
from merit.systems.moe_mos.quality_description import MosDescription, frozen_encoder, load_model
from merit.systems.moe_mos.quality_model import MosNetwork
from merit.time_grid import SAMPLE_RATE


@dataclass
class Judgement:
    """What a model says of a signal.

    Attributes:
        mos: mean opinion score, from 1 to 5.
        gates: (N,) weight of each expert.
        systems: probability of each generating system of the training.
    """

    mos: float
    gates: np.ndarray
    systems: dict[str, float]


class MoeMos:
    """A trained model of speech quality.

    Signals longer than ``piece_seconds`` are judged in pieces of equal length, of which the mean is taken: models are
    trained on sentences.

    Args:
        network: with its encoder.
        description: its systems and the normalisation of its input.
        device: such as ``cuda:0``; None or ``auto`` takes the first GPU, else the CPU.
        precision: ``auto`` is that of the training.
        piece_seconds: longest signal judged as one; the encoder's own limit goes before it (Whisper: 30 s).

    Raises:
        MeritError: when the device cannot be used, or pieces would be shorter than a second.
    """

    def __init__(
        self,
        network: MosNetwork,
        description: MosDescription,
        device: str | torch.device | None = None,
        precision: Precision = "auto",
        piece_seconds: float = 20.0,
    ) -> None:
        if piece_seconds < 1:
            raise MeritError(f"piece_seconds is {piece_seconds}; expected at least 1")
        self.piece_samples = round(piece_seconds * SAMPLE_RATE)
        if network.encoder.maximum_samples is not None:
            self.piece_samples = min(self.piece_samples, network.encoder.maximum_samples)
        self.device = usable_device(device)
        self.precision = precision_of_use(precision, description.precision, self.device)
        self.description = description
        self.network = network.eval().to(self.device)

    @classmethod
    def from_pretrained(
        cls,
        directory: Path | str,
        ssl: str | None = None,
        device: str | torch.device | None = None,
        precision: Precision = "auto",
        piece_seconds: float = 20.0,
    ) -> "MoeMos":
        """The model in a directory that the training wrote.

        Args:
            directory: such as ``exp/moe_mos-7``.
            ssl: where its frozen encoder lies; None where it was in training. A model whose encoder was trained too
                has it beside it.
            device, precision, piece_seconds: as for the constructor.

        Raises:
            MeritError: when the directory holds no such model, or its encoder is not there or another one.
        """
        network, description = load_model(Path(directory))
        if network.encoder is None:
            network.encoder = frozen_encoder(description, Path(directory), ssl)
        return cls(network, description, device, precision, piece_seconds)

    def __call__(self, waveform: np.ndarray | Tensor, sample_rate: int) -> Judgement:
        """Judge a signal, of any rate (Hz), shape and type that :func:`merit.data.waveform.mono_at_16_khz` takes.

        Raises:
            MeritError: as that function, and when the signal is shorter than 400 samples at 16 kHz.
        """
        return self.judge({"waveform": mono_at_16_khz(waveform, sample_rate)})["waveform"]

    def judge_files(
        self, paths: Sequence[Path], batch_seconds: float = 60.0
    ) -> Iterator[tuple[Path, Judgement | MeritError]]:
        """Judge audio files, in their order, several in a batch; one that cannot be judged comes with its error."""
        held: dict[str, np.ndarray] = {}
        failed: dict[str, MeritError] = {}
        for place, path in enumerate(paths):
            name = f"{place} {path}"
            try:
                samples = np.concatenate(list(stream_audio(path)) or [np.empty(0, np.float32)])
                check_length(len(samples), str(path))
                held[name] = samples
            except MeritError as error:
                failed[name] = error
            if place == len(paths) - 1 or sum(map(len, held.values())) >= batch_seconds * SAMPLE_RATE:
                done = self.judge(held, batch_seconds) | failed
                for name in sorted(done, key=lambda name: int(name.split(" ", 1)[0])):
                    yield Path(name.split(" ", 1)[1]), done[name]
                held, failed = {}, {}

    def judge(self, signals: dict[str, np.ndarray], batch_seconds: float = 60.0) -> dict[str, Judgement]:
        """Judge signals together; each comes to what it would alone.

        Args:
            signals: name -> float32 (S,) at 16 kHz.
            batch_seconds: padded audio computed at once.

        Raises:
            MeritError: when a signal is shorter than one frame, or the model gives something that is not finite.
        """
        pieces: dict[str, np.ndarray] = {}
        of: dict[str, list[str]] = {}
        for name, samples in signals.items():
            check_length(len(samples), name.split(" ", 1)[-1])
            of[name] = [f"{name}/{number}" for number in range(-(-len(samples) // self.piece_samples))]
            pieces |= dict(zip(of[name], np.array_split(samples, len(of[name]))))
        seconds = {name: len(samples) / SAMPLE_RATE for name, samples in pieces.items()}
        found: dict[str, np.ndarray] = {}
        for names in length_batches(seconds, batch_seconds):
            found |= dict(zip(names, self._batch([pieces[name] for name in names])))
        judged = {}
        for name, own in of.items():
            values = np.mean([found[piece] for piece in own], axis=0)
            if not np.isfinite(values).all():
                raise MeritError(f"{name.split(' ', 1)[-1]}: the model gives {values[0]}; try --precision float32")
            judged[name] = self._judgement(values)
        return judged

    @torch.inference_mode()
    def _batch(self, waveforms: Sequence[np.ndarray]) -> np.ndarray:
        """(B, 1 + N + C): MOS, gate weights and probabilities of the systems."""
        normalised = [torch.from_numpy(self.description.statistics.normalise(samples)).float() for samples in waveforms]
        padded = torch.nn.utils.rnn.pad_sequence(normalised, batch_first=True).to(self.device)
        with autocast(self.precision, self.device):
            output = self.network(padded, torch.tensor([len(samples) for samples in waveforms]))
        parts = [output.mos.unsqueeze(1), output.routing.weights[:, 0], output.systems.float().softmax(dim=-1)]
        return torch.cat(parts, dim=1).double().cpu().numpy()

    def _judgement(self, values: np.ndarray) -> Judgement:
        experts = len(values) - 1 - len(self.description.classes)
        probabilities = dict(zip(self.description.classes, values[1 + experts :].tolist()))
        return Judgement(float(values[0]), values[1 : 1 + experts], probabilities)
