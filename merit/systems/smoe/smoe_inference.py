"""A trained model for people: audio of any length and rate in; text out.

>>> smoe = Smoe.from_pretrained("exp/encdec_smoe-7")
>>> smoe.transcribe(waveform, sample_rate)
>>> smoe.translate(waveform, sample_rate, "fr")
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from merit.data.audio_stream import stream_audio
from merit.data.bandwidth import detect_bandwidth
from merit.data.batching import length_batches
from merit.data.datadir import BANDWIDTHS
from merit.data.pauses import cut_at_pauses
from merit.data.waveform import check_length, mono_at_16_khz
from merit.errors import MeritError
from merit.precision import Precision
from merit.systems.smoe.beam_search import BeamOptions
from merit.systems.smoe.log_mel_features import FRAME_LENGTH, FRAME_SHIFT, log_mel
from merit.systems.smoe.speech_decoding import Recogniser
from merit.time_grid import SAMPLE_RATE


class Smoe:
    """A trained model of speech to text.

    Signals longer than ``piece_seconds`` are cut at their pauses, and the texts of the pieces joined. Each signal is
    taken for wide or narrow band by its energy above 4 kHz, unless it is said.

    Args:
        recogniser: the model.
        piece_seconds: longest piece; that of the model goes before it.

    Raises:
        MeritError: when pieces would be shorter than a second.
    """

    def __init__(self, recogniser: Recogniser, piece_seconds: float = 20.0) -> None:
        if piece_seconds < 1:
            raise MeritError(f"piece_seconds is {piece_seconds}; expected at least 1")
        longest = (FRAME_SHIFT * (recogniser.model.config.max_frames - 1) + FRAME_LENGTH) / SAMPLE_RATE
        self.recogniser = recogniser
        self.piece_seconds = min(piece_seconds, longest)

    @classmethod
    def from_pretrained(
        cls,
        directory: Path | str,
        device: str | torch.device | None = None,
        precision: Precision = "auto",
        beam: int = 5,
        piece_seconds: float = 20.0,
    ) -> "Smoe":
        """The model in a directory that the training wrote.

        Args:
            directory: such as ``exp/encdec_smoe-7``.
            device: such as ``cuda:0``; None or ``auto`` takes the first GPU, else the CPU.
            precision: ``auto`` is that of the training.
            beam: hypotheses of the search.
            piece_seconds: as for the constructor.

        Raises:
            MeritError: when the directory holds no such model, or the device cannot be used.
        """
        return cls(Recogniser.load(Path(directory), device, precision, BeamOptions(beam=beam)), piece_seconds)

    @property
    def languages(self) -> dict[str, str]:
        """Task -> language that the model writes."""
        return dict(self.recogniser.languages)

    def transcribe(self, waveform: np.ndarray | Tensor, sample_rate: int, bandwidth: str | None = None) -> str:
        """What is said.

        Args:
            waveform: of any shape and type that :func:`merit.data.waveform.mono_at_16_khz` takes.
            sample_rate: Hz.
            bandwidth: ``wide`` or ``narrow``; None finds it.

        Raises:
            MeritError: as that function, and when the signal is shorter than a frame.
        """
        return self._text({"waveform": mono_at_16_khz(waveform, sample_rate)}, "transcribe", bandwidth)["waveform"]

    def translate(
        self, waveform: np.ndarray | Tensor, sample_rate: int, language: str, bandwidth: str | None = None
    ) -> str:
        """What it means in another language; arguments and errors as of :meth:`transcribe`.

        Args:
            waveform, sample_rate, bandwidth: as there.
            language: that the model has learnt to translate into.
        """
        self.require_language(language)
        return self._text({"waveform": mono_at_16_khz(waveform, sample_rate)}, "translate", bandwidth)["waveform"]

    def require_language(self, language: str) -> None:
        """Refuse a language of translations that the model has not learnt.

        Raises:
            MeritError: names the one that it has.
        """
        self.recogniser.require_task("translate")
        known = self.languages["translate"]
        if language != known:
            raise MeritError(f"this model translates into {known}, not into {language!r}; give --to {known}")

    def files(
        self, paths: Sequence[Path], task: str, bandwidth: str | None = None, batch_seconds: float = 60.0
    ) -> Iterator[tuple[Path, str | MeritError]]:
        """The texts of audio files, in their order, short ones together; one that fails comes with its error.

        Args:
            paths: the files.
            task: transcribe or translate.
            bandwidth: of all of them; None finds it.
            batch_seconds: padded audio computed at once.
        """
        held: dict[int, np.ndarray] = {}
        failed: dict[int, MeritError] = {}
        for place, path in enumerate(paths):
            try:
                samples = np.concatenate(list(stream_audio(path)) or [np.empty(0, np.float32)])
                check_length(len(samples), str(path))
                held[place] = samples
            except MeritError as error:
                failed[place] = error
            if place == len(paths) - 1 or sum(map(len, held.values())) >= batch_seconds * SAMPLE_RATE:
                signals = {str(number): samples for number, samples in held.items()}
                done = self._text(signals, task, bandwidth, batch_seconds)
                found = {int(number): text for number, text in done.items()} | failed
                for number in sorted(found):
                    yield paths[number], found[number]
                held, failed = {}, {}

    def _text(
        self, signals: dict[str, np.ndarray], task: str, bandwidth: str | None, batch_seconds: float = 60.0
    ) -> dict[str, str]:
        """The text of each signal (S,) at 16 kHz."""
        if bandwidth not in (None, *BANDWIDTHS):
            raise MeritError(f"bandwidth {bandwidth!r}: expected {' or '.join(BANDWIDTHS)}")
        pieces: dict[tuple[str, int], np.ndarray] = {}
        bandwidths: dict[str, int] = {}
        for name, samples in signals.items():
            check_length(len(samples), name)
            bandwidths[name] = BANDWIDTHS.index(bandwidth or detect_bandwidth(samples))
            cut = [piece for piece in cut_at_pauses(samples, self.piece_seconds) if len(piece) >= FRAME_LENGTH]
            pieces |= {(name, number): piece for number, piece in enumerate(cut)}
        texts: dict[tuple[str, int], str] = {}
        seconds = {key: len(piece) / SAMPLE_RATE for key, piece in pieces.items()}
        for keys in length_batches(seconds, batch_seconds):
            features = [log_mel(pieces[key], key[0], self.recogniser.model.config.mel_bins) for key in keys]
            found = self.recogniser.texts(features, [bandwidths[name] for name, _ in keys], task)
            texts |= {key: self.recogniser.vocabulary.decode(hypothesis.tokens) for key, hypothesis in zip(keys, found)}
        return {name: " ".join(texts[key] for key in sorted(pieces) if key[0] == name) for name in signals}
