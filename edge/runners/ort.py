"""ONNX Runtime on the CPU: runs everywhere, and is the reference for every other runner."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import onnxruntime

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

X86 = ("x86_64", "AMD64")
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
        options = session_options()
        self._encoder = _open(bundle, ENCODER_FILE, options, ENCODER_INPUTS, ENCODER_OUTPUTS)
        self._decoder = _open(bundle, DECODER_FILE, options, DECODER_INPUTS, DECODER_OUTPUTS)

    def _run_encoder(self, inputs: EncoderInputs) -> Sequence[Float32]:
        outputs: Sequence[Float32] = _run(self._encoder, ENCODER_FILE, ENCODER_OUTPUTS, inputs.feeds())
        return outputs

    def _run_decoder(self, hidden: Float32, features: Float32) -> Float32:
        feeds = {"hidden": hidden, "features": features}
        frames: Float32 = _run(self._decoder, DECODER_FILE, DECODER_OUTPUTS, feeds)[0]
        return frames

    def close(self) -> None:
        """Free both sessions."""
        del self._encoder, self._decoder


def _open(
    bundle: Bundle,
    file: str,
    options: onnxruntime.SessionOptions,
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> onnxruntime.InferenceSession:
    model = bundle.read(file)
    try:
        model = fuse_products(model, unsigned=platform.machine() in X86)
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library raises its own classes, which share no public base
        raise RunnerError(f"{bundle.path}: ONNX Runtime refuses {file}: {error}") from error
    found = ({i.name for i in session.get_inputs()}, {o.name for o in session.get_outputs()})
    if found != (set(inputs), set(outputs)):
        raise RunnerError(
            f"{bundle.path}: {file} has inputs and outputs {found}, expected {inputs} and {outputs}"
        )
    return session


def _run(
    session: onnxruntime.InferenceSession, file: str, outputs: Sequence[str], feeds: dict[str, Any]
) -> Any:
    try:
        return session.run(outputs, feeds)
    except Exception as error:  # as above
        shapes = {name: array.shape for name, array in feeds.items()}
        raise RunnerError(f"ONNX Runtime failed in {file} with {shapes}: {error}") from error
