"""Kokoro-82M in this process: tokens and a style in; durations, F0, energy and sound out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import TeacherError
from .kokoro_files import VOICE_SHAPE, read_checked
from .kokoro_graph import (
    ALIGNED_TEXT,
    DURATIONS,
    ENERGY,
    F0,
    PARTS,
    SPEED,
    STYLE,
    TOKENS,
    UNROUNDED,
    with_output,
)

SAMPLE_RATE = 24_000
FRAME = 600  # samples of a duration frame, 25 ms
PITCH_STEP = FRAME // 2  # samples of a value of F0 and energy, 12.5 ms
EDGE = 0  # token before and after the line

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Prosody:
    """What the network predicts before the sound."""

    frames: NDArray[np.int64]
    """(n_tokens + 2,) of 25 ms, the edges among them."""
    f0: Floats
    """(2 * sum(frames),) Hz, near 0 where unvoiced; energy: likewise, in the network's own unit."""
    energy: Floats


class Network:
    """Three sessions, one thread each, which never spin: as many processes as cores is the fastest way.

    Args:
        folder: of the assembled model.

    Raises:
        TeacherError: a file is missing or damaged, or ONNX Runtime is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = {part.name: _session(read_checked(folder, f"{part.name}.onnx")) for part in PARTS}

    def speak(
        self, ids: Sequence[int], style: Floats, speed: float, edit: Callable[[Prosody], Prosody]
    ) -> tuple[Floats, Prosody]:
        """Say a line.

        Args:
            ids: numbers of its tokens, without the edges.
            style: (256,).
            speed: above 1 faster.
            edit: changes F0 and energy.

        Returns:
            (n_samples,) at 24 kHz, where n_samples = sum(frames) * FRAME, and the prosody as it was edited.
        """
        given = self._predicted(ids, style, speed)
        shape = given[F0].shape
        prosody = edit(_prosody(given))
        given[F0], given[ENERGY] = prosody.f0.reshape(shape), prosody.energy.reshape(shape)
        (audio,) = self._run("sound", {key: given[key] for key in (ALIGNED_TEXT, F0, ENERGY, STYLE)}).values()
        return np.asarray(audio, np.float32).reshape(-1), prosody

    def predict(self, ids: Sequence[int], style: Floats, speed: float = 1.0) -> Prosody:
        """Give what the network predicts of a line, without the sound: a twentieth of the work."""
        return _prosody(self._predicted(ids, style, speed))

    def lengths(
        self, ids: Sequence[int], style: Floats, speed: float = 1.0
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Give (n_tokens + 2,) frames of 25 ms: as the network predicts them, and rounded to whole ones."""
        session, given = self._unrounded, _inputs(ids, style, speed)
        feed = {one.name: given[one.name] for one in session.get_inputs()}
        predicted, whole = session.run([UNROUNDED, DURATIONS], feed)
        return predicted.reshape(-1), whole.reshape(-1)

    @cached_property
    def _unrounded(self) -> Any:
        return _session(with_output(read_checked(self._folder, f"{PARTS[0].name}.onnx"), UNROUNDED))

    def _predicted(self, ids: Sequence[int], style: Floats, speed: float) -> dict[str, Any]:
        given = _inputs(ids, style, speed)
        given |= self._run("durations", given)
        return given | self._run("prosody", given)

    def _run(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        session = self._parts[name]
        feed = {one.name: given[one.name] for one in session.get_inputs()}
        names = [one.name for one in session.get_outputs()]
        return dict(zip(names, session.run(names, feed), strict=True))


def _inputs(ids: Sequence[int], style: Floats, speed: float) -> dict[str, Any]:
    return {
        TOKENS: np.array([[EDGE, *ids, EDGE]], np.int64),
        STYLE: style[None],
        SPEED: np.array([speed], np.float32),
    }


def _prosody(given: Mapping[str, Any]) -> Prosody:
    return Prosody(given[DURATIONS].reshape(-1), given[F0].reshape(-1), given[ENERGY].reshape(-1))


@cache
def network(folder: Path) -> Network:
    """Load the network of a folder, once in each process, however many characters speak with it."""
    return Network(folder)


def blend(folder: Path, voices: Mapping[str, float]) -> Floats:
    """Mix voices.

    Args:
        folder: of the assembled model.
        voices: names and weights, of which only the proportions count.

    Returns:
        (510, 256) the style for each number of tokens.

    Raises:
        TeacherError: a voice is missing or damaged.
    """
    total = sum(voices.values())
    mixed = np.zeros(VOICE_SHAPE, np.float32)
    for name, weight in voices.items():
        style = np.frombuffer(read_checked(folder, f"voices/{name}.bin"), np.float32)
        mixed += np.float32(weight / total) * style.reshape(VOICE_SHAPE)
    return mixed


def _session(data: bytes) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise TeacherError("onnxruntime is not installed; pip install 'sovits-tiny[kokoro]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises its own kinds
        raise TeacherError(f"ONNX Runtime cannot read a part of Kokoro-82M: {error}") from error
