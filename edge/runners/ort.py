"""ONNX Runtime on the CPU: runs everywhere, and is the reference for every other runner."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ..bundle.bundle import DECODER_FILE, ENCODER_FILE, Bundle
from ..errors import RunnerError
from .base import (
    DECODER_INPUTS,
    DECODER_OUTPUTS,
    ENCODER_INPUTS,
    ENCODER_OUTPUTS,
    EncoderInputs,
    Float32,
    Runner,
)
from .fused import fuse_products
from .onnx_subset import read_model
from .parts import part_condition, part_frames

Feeds = dict[str, NDArray[Any]]

X86 = ("x86_64", "AMD64")
CONDITION = ("character_id", "emotion_id", "emotion_strength")
CONDITIONS_KEPT = 64  # 9 KB each; strength is any number
_LOG_ERRORS_ONLY = 3


def session_options() -> onnxruntime.SessionOptions:
    """Options for a device that shares its processor with a show.

    Worker threads of ONNX Runtime must not spin: beside other busy processes that made two threads two to
    four times slower than one, and idle it burns a core. Without spinning a second thread gains nothing on
    layers this small, so the runner uses one per window and windows are what runs in parallel.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # every line has other shapes: kept patterns would only cost memory
    options.log_severity_level = _LOG_ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def open_bundle(bundle: Bundle, threads: int, state_dir: Path | None) -> OnnxRuntimeRunner:
    """Open both graphs; nothing is kept in the state.

    Raises:
        BundleError, RunnerError: as :class:`OnnxRuntimeRunner`.
    """
    return OnnxRuntimeRunner(bundle, threads)


class OnnxRuntimeRunner(Runner):
    """Two CPU sessions that share their options; their runs may overlap."""

    name: ClassVar[str] = "onnxruntime"
    window_factor: ClassVar[int] = 2  # 512 frames: less context is computed twice, and products are larger

    def __init__(self, bundle: Bundle, threads: int = 2) -> None:
        """Open both graphs.

        Args:
            bundle: where they are.
            threads: windows to decode at the same time.

        Raises:
            BundleError: a file of the bundle is damaged.
            RunnerError: ONNX Runtime refuses a graph, or its inputs and outputs are not ours.
        """
        self.concurrency = threads
        self._encoder = _Encoder(bundle)
        content = part_frames(_read(bundle, DECODER_FILE, DECODER_INPUTS, DECODER_OUTPUTS))
        self._decoder = _open(bundle, DECODER_FILE, content)

    def _run_encoder(self, inputs: EncoderInputs) -> Sequence[Float32]:
        return self._encoder.run(inputs)

    def _run_decoder(self, hidden: Float32, features: Float32) -> Sequence[Float32]:
        return _run(self._decoder, DECODER_FILE, None, {"hidden": hidden, "features": features})

    def close(self) -> None:
        """Free all sessions."""
        del self._encoder, self._decoder


class _Encoder:
    """The encoder; what follows from character, emotion and strength alone is kept for the next phrases."""

    def __init__(self, bundle: Bundle) -> None:
        content = _read(bundle, ENCODER_FILE, ENCODER_INPUTS, ENCODER_OUTPUTS)
        parts = part_condition(content, CONDITION)
        self._session = _open(bundle, ENCODER_FILE, parts.rest if parts else content)
        self._conditioned: Callable[..., Feeds] | None = None
        if parts:
            condition = _open(bundle, ENCODER_FILE, parts.condition)
            self._conditioned = lru_cache(CONDITIONS_KEPT)(partial(_conditioned, condition, parts.between))

    def run(self, inputs: EncoderInputs) -> Sequence[Float32]:
        """Outputs in the order of ``ENCODER_OUTPUTS``."""
        feeds = inputs.feeds()
        if self._conditioned is not None:
            feeds |= self._conditioned(*(feeds.pop(name)[0] for name in CONDITION))
        return _run(self._session, ENCODER_FILE, ENCODER_OUTPUTS, feeds)


def _conditioned(
    session: onnxruntime.InferenceSession,
    outputs: Sequence[str],
    character: int,
    emotion: int,
    strength: float,
) -> Feeds:
    values = (np.array([character]), np.array([emotion]), np.array([strength], np.float32))
    feeds = dict(zip(CONDITION, values, strict=True))
    return dict(zip(outputs, _run(session, ENCODER_FILE, outputs, feeds), strict=True))


def _read(bundle: Bundle, file: str, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """A graph with its products fused."""
    content = bundle.read(file)
    try:
        content = fuse_products(content, unsigned=platform.machine() in X86)
        graph = read_model(content).graph
    except Exception as error:  # protobuf raises its own classes
        raise _refused(bundle, file, error) from error
    found = ({value.name for value in graph.input}, {value.name for value in graph.output})
    if found != (set(inputs), set(outputs)):
        raise RunnerError(
            f"{bundle.path}: {file} has inputs and outputs {found}, expected {inputs} and {outputs}"
        )
    return content


def _open(bundle: Bundle, file: str, content: bytes) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(content, session_options(), providers=["CPUExecutionProvider"])
    except Exception as error:  # the library raises its own classes, which share no public base
        raise _refused(bundle, file, error) from error


def _refused(bundle: Bundle, file: str, error: Exception) -> RunnerError:
    return RunnerError(f"{bundle.path}: ONNX Runtime refuses {file}: {error}")


def _run(
    session: onnxruntime.InferenceSession, file: str, outputs: Sequence[str] | None, feeds: Feeds
) -> Sequence[Float32]:
    try:
        found: Sequence[Float32] = session.run(outputs, feeds)
        return found
    except Exception as error:  # as above
        shapes = {name: array.shape for name, array in feeds.items()}
        raise RunnerError(f"ONNX Runtime failed in {file} with {shapes}: {error}") from error
