"""Runner contract: what every inference library has to offer the synthesiser."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import RunnerError
from ..frames import WIDTHS, Frames
from ..phrases import Phrase
from ..spec import F0_POINTS, FRAME_OUTPUTS, LANGUAGE_IDS
from ..text.symbols import SYMBOL_TO_ID

Float32 = NDArray[np.float32]
Int64 = NDArray[np.int64]

ENCODER_INPUTS = (
    "phoneme_ids",
    "language_ids",
    "word_starts",
    "character_id",
    "emotion_id",
    "emotion_strength",
)
ENCODER_OUTPUTS = ("durations", "f0", "energy", "hidden")
DECODER_INPUTS = ("hidden", "features")
DECODER_OUTPUTS = ("frames",)


@dataclass(frozen=True)
class EncoderInputs:
    """Inputs of the encoder graph, named as in the graph."""

    phoneme_ids: Int64
    language_ids: Int64
    word_starts: Int64
    """``phoneme_ids``, ``language_ids``, ``word_starts``: (1, P) int64."""
    character_id: Int64
    emotion_id: Int64
    """``character_id``, ``emotion_id``: (1,) int64."""
    emotion_strength: Float32
    """(1,) float32; 0 is neutral, 1 as trained."""

    def feeds(self) -> dict[str, NDArray[np.generic]]:
        """Arrays by input name."""
        return {name: getattr(self, name) for name in ENCODER_INPUTS}


def encoder_inputs(phrase: Phrase, character: int, emotion: int, strength: float) -> EncoderInputs:
    """Inputs for a phrase that has symbols."""
    starts = np.zeros((1, len(phrase.symbols)), np.int64)
    starts[0, [first for _, first, _ in phrase.words]] = 1
    return EncoderInputs(
        phoneme_ids=np.array([[SYMBOL_TO_ID[symbol] for symbol in phrase.symbols]], np.int64),
        language_ids=np.array([[LANGUAGE_IDS[name] for name in phrase.languages]], np.int64),
        word_starts=starts,
        character_id=np.array([character], np.int64),
        emotion_id=np.array([emotion], np.int64),
        emotion_strength=np.array([strength], np.float32),
    )


@dataclass(frozen=True)
class EncoderOutputs:
    """Outputs of the encoder graph without the batch axis."""

    durations: Float32
    """(P,) frames, fractional."""
    f0: Float32
    """(P, 4) ln(Hz)."""
    energy: Float32
    """(P,)."""
    hidden: Float32
    """(P, D)."""


class Runner(ABC):
    """Runs the two graphs of one bundle on one device.

    Use it as a context manager, or call ``close``.
    """

    name: ClassVar[str]
    """Key in ``RUNNERS``."""
    concurrency: int = 1
    """Calls that can be made at the same time, each from its own thread."""
    window_factor: ClassVar[int] = 1
    """Windows of the bundle that ``decode`` takes as one."""

    def encode(self, inputs: EncoderInputs) -> EncoderOutputs:
        """Run the encoder on one phrase.

        Raises:
            RunnerError: the library failed, or the result has a wrong shape or is not finite.
        """
        outputs = [np.asarray(array)[0] for array in self._run_encoder(inputs)]
        n = inputs.phoneme_ids.shape[1]
        durations, f0, energy, hidden = outputs
        shapes = {"durations": (n,), "f0": (n, F0_POINTS), "energy": (n,), "hidden": (n, hidden.shape[-1])}
        for (name, shape), array in zip(shapes.items(), outputs, strict=True):
            _check_shape(name, array, shape)
            if not np.isfinite(array.sum()):
                raise RunnerError(f"the encoder gave NaN or infinity in {name}: the network is broken")
        return EncoderOutputs(durations, f0, energy, hidden)

    def decode(self, hidden: Float32, features: Float32) -> Frames:
        """Run the decoder on one window.

        Args:
            hidden: (1, T, D).
            features: (1, T, 6).

        Returns:
            T frames; not checked for NaN, which the sound shows.

        Raises:
            RunnerError: the library failed, or the result has a wrong shape.
        """
        outputs: list[Float32] = [np.asarray(array)[0] for array in self._run_decoder(hidden, features)]
        widths = WIDTHS if len(outputs) > 1 else (FRAME_OUTPUTS,)
        for array, width in zip(outputs, widths, strict=True):
            _check_shape("frames", array, (hidden.shape[1], width))
        return Frames(*outputs) if len(outputs) > 1 else Frames.of(outputs[0])

    @abstractmethod
    def _run_encoder(self, inputs: EncoderInputs) -> Sequence[Float32]:
        """Outputs of the encoder graph in the order of ``ENCODER_OUTPUTS``, batch axis included."""

    @abstractmethod
    def _run_decoder(self, hidden: Float32, features: Float32) -> Sequence[Float32]:
        """(1, T, FRAME_OUTPUTS) alone, or its parts in the order of ``Frames``."""

    @abstractmethod
    def close(self) -> None:
        """Give back what the library holds; the runner cannot be used afterwards."""

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _check_shape(name: str, array: Float32, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise RunnerError(f"{name} is {array.shape}, expected {shape}: the bundle is not for this version")
