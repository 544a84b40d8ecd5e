"""A trained model for people: audio of any length and rate in; clean speech, emotion and routing out.

>>> merit = Merit.from_pretrained("exp/sparse_merit-7")
>>> result = merit(waveform, sample_rate)
>>> result.enhanced, result.emotion, result.routing["emotion"]
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from merit.data.audio_stream import audio_writer, overlapping_pieces, stream_audio
from merit.data.waveform import check_length, mono_at_16_khz
from merit.device import Precision, autocast, has_fast_bfloat16, precision_of_use, usable_device
from merit.errors import MeritError
from merit.nets.spectrum import num_spectrum_frames, waveform_from_log_magnitude
from merit.systems.sparse_merit.description import ModelDescription, load_model
from merit.systems.sparse_merit.hub import model_directory
from merit.systems.sparse_merit.model import MeritModel, ModelOutput
from merit.systems.sparse_merit.result import Piece, Result, check_finite, join_pieces
from merit.time_grid import FRAME_SAMPLES, SAMPLE_RATE

logger = logging.getLogger(__name__)

OVERLAP = SAMPLE_RATE
"""Samples that neighbouring pieces of a long signal share."""


class Merit:
    """A trained model that enhances speech and recognises its emotion.

    Signals longer than ``piece_seconds`` are worked through in pieces that overlap by one second: clean speech fades
    from one piece to the next, routing changes over in the middle, emotion probabilities are averaged by length.

    Args:
        model: the network.
        description: its classes and the normalisation of its input.
        device: such as ``cuda:0``; None or ``auto`` takes the first GPU, else the CPU.
        precision: ``auto`` is that of the training (:func:`merit.device.precision_of_use`); another is warned of.
        piece_seconds: longest signal computed at once; the encoder's own limit goes before it (Whisper: 30 s).

    Raises:
        MeritError: when the device cannot be used, or pieces would be too short.
    """

    def __init__(
        self,
        model: MeritModel,
        description: ModelDescription,
        device: str | torch.device | None = None,
        precision: Precision = "auto",
        piece_seconds: float = 20.0,
    ) -> None:
        # Whole frames, so that the routing of one piece goes on where that of another ends.
        self.piece_samples = round(piece_seconds * SAMPLE_RATE / FRAME_SAMPLES) * FRAME_SAMPLES
        if self.piece_samples < 2 * OVERLAP:
            raise MeritError(f"piece_seconds is {piece_seconds}; expected at least {2 * OVERLAP / SAMPLE_RATE:g}")
        if model.encoder.maximum_samples is not None:
            self.piece_samples = min(self.piece_samples, model.encoder.maximum_samples)
        self.device = usable_device(device)
        self.precision = precision_of_use(precision, description.precision, self.device)
        if description.precision not in (None, self.precision):
            message = "the model was trained in %s and is used in %s, in which it can say something else"
            logger.warning(message, description.precision, self.precision)
        elif self.precision == "bfloat16" and not has_fast_bfloat16(self.device):
            logger.info("bfloat16, which the model was trained in, is slow on this machine")
        self.description = description
        self.model = model.eval().to(self.device)

    @classmethod
    def from_pretrained(
        cls,
        directory: Path | str,
        device: str | torch.device | None = None,
        precision: Precision = "auto",
        piece_seconds: float = 20.0,
    ) -> "Merit":
        """The model in a directory that phase 2 of the training wrote, or of the Hugging Face hub.

        Args:
            directory: such as ``exp/sparse_merit-7``; or a repository of the hub with such a model in it, or the
                authors' own, ``RogerTzeng/Sparse-MERIT``. It is downloaded, and converted, the first time alone.
            device, precision, piece_seconds: as for the constructor.

        Raises:
            MeritError: when the directory holds no such model, or there is none and the hub's cannot be fetched;
                otherwise as the constructor.
        """
        model, description = load_model(model_directory(directory))
        return cls(model, description, device=device, precision=precision, piece_seconds=piece_seconds)

    @property
    def classes(self) -> list[str] | None:
        """Emotion names, or None without an emotion head."""
        return None if self.model.emotion_head is None else self.description.classes

    @property
    def enhances(self) -> bool:
        """Whether the model has an enhancement head."""
        return self.model.enhancement_head is not None

    def __call__(self, waveform: np.ndarray | Tensor, sample_rate: int) -> Result:
        """Enhance a signal and recognise its emotion.

        Args:
            waveform: ``(S,)`` or ``(channels, S)``, whose channels are averaged; floating point with full scale 1, or
                16 or 32-bit integers.
            sample_rate: Hz.

        Raises:
            MeritError: when the signal is empty, shorter than 400 samples at 16 kHz, not finite, or of another shape
                or type.
        """
        return join_pieces(list(self.pieces([mono_at_16_khz(waveform, sample_rate)])))

    def pieces(self, blocks: Iterable[np.ndarray], name: str = "waveform") -> Iterator[Piece]:
        """Work through a signal at 16 kHz that comes in blocks ``(S,)`` of any length.

        Args:
            blocks: consecutive samples, float32.
            name: of the signal, for messages.

        Raises:
            MeritError: when the signal is empty or shorter than 400 samples, or the model gives NaN.
        """
        fade = np.linspace(0, 1, OVERLAP, dtype=np.float32)
        change = OVERLAP // 2 // FRAME_SAMPLES
        hop = self.piece_samples - OVERLAP
        start = 0
        tail = np.empty(0, dtype=np.float32)
        for samples, first, last in overlapping_pieces(blocks, self.piece_samples, OVERLAP):
            check_length(len(samples), name)
            result = self.batch([samples], [name])[0]
            if result.enhanced is not None:
                if not first:
                    result.enhanced[:OVERLAP] = (1 - fade) * tail + fade * result.enhanced[:OVERLAP]
                if not last:
                    result.enhanced, tail = np.split(result.enhanced, [hop])
            final = slice(0 if first else change, None if last else hop // FRAME_SAMPLES + change)
            result.routing = {task: weights[final] for task, weights in result.routing.items()}
            yield Piece(start, start + len(samples), result)
            start += hop
        if start == 0:
            raise MeritError(f"{name}: holds no samples")

    @torch.inference_mode()
    def batch(self, waveforms: Sequence[np.ndarray], names: Sequence[str] | None = None) -> list[Result]:
        """Work through signals at 16 kHz together; what comes out is what each would give alone.

        Args:
            waveforms: ``(S,)`` float32 each, of 400 samples up to ``piece_samples``.
            names: of the signals, for messages.

        Raises:
            MeritError: when the GPU's memory is too small for them, or the model gives NaN or infinity.
        """
        normalised = [torch.from_numpy(self.description.statistics.normalise(samples)) for samples in waveforms]
        padded = torch.nn.utils.rnn.pad_sequence(normalised, batch_first=True).to(self.device)
        lengths = torch.tensor([len(samples) for samples in waveforms])  # on the host, where the encoder reads them
        try:
            with autocast(self.precision, self.device):
                output = self.model(padded, lengths)
        except torch.OutOfMemoryError as error:
            seconds = padded.numel() / SAMPLE_RATE
            raise MeritError(
                f"{self.device}: not enough memory for {seconds:.0f} s of audio at once; ask for smaller batches, "
                "shorter pieces or another device"
            ) from error
        results = [self._result(output, b, len(samples)) for b, samples in enumerate(waveforms)]
        for name, samples, result in zip(names or ["waveform"] * len(results), waveforms, results):
            check_finite(result, samples, name)
        return results

    def _result(self, output: ModelOutput, b: int, length: int) -> Result:
        """Take utterance ``b`` out of a batch's output."""
        enhanced = emotion = None
        if output.enhanced is not None:
            frames = num_spectrum_frames(length)
            clean = waveform_from_log_magnitude(output.enhanced[b, :frames], output.noisy_spectrum[b, :frames], length)
            enhanced = self.description.statistics.restore(clean).cpu().numpy()
        if output.emotion is not None:
            emotion = dict(zip(self.description.classes, output.emotion[b].softmax(dim=-1).tolist()))
        routing = {gate.name: gate.weights[b][gate.mask[b]].cpu().numpy() for gate in output.routing}
        return Result(enhanced, emotion, routing)

    def enhance_file(self, source: Path, target: Path) -> Iterator[Piece]:
        """Write the clean speech of ``source`` to ``target`` (16 kHz mono, 16 bits, WAV or FLAC by its suffix).

        A few pieces are in memory at a time. They are yielded as they are done; the file is there when all are taken.

        Raises:
            MeritError: when the model has no enhancement head, the file is shorter than one frame, or otherwise as
                :func:`merit.data.audio_stream.stream_audio`.
        """
        if not self.enhances:
            raise MeritError("the model has no enhancement head")
        with audio_writer(target) as write:
            for piece in self.pieces(stream_audio(source), str(source)):
                write(piece.result.enhanced)
                yield piece

    def recognise_file(self, source: Path) -> Iterator[Piece]:
        """The emotion of every piece of an audio file; its enhanced speech and routing are left out.

        Raises:
            MeritError: when the model has no emotion head, otherwise as :meth:`enhance_file`.
        """
        if self.classes is None:
            raise MeritError("the model has no emotion head")
        for piece in self.pieces(stream_audio(source), str(source)):
            yield Piece(piece.start, piece.stop, Result(None, piece.result.emotion, {}))
