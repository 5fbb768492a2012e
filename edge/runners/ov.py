"""OpenVINO, for Intel GPUs; on a processor ONNX Runtime is usually faster, which ``auto`` measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..bundle.bundle import DECODER_FILE, ENCODER_FILE, Bundle
from ..errors import RunnerError
from .base import DECODER_OUTPUTS, ENCODER_OUTPUTS, EncoderInputs, Float32, Runner


def open_bundle(bundle: Bundle, threads: int, state_dir: Path | None) -> OpenVinoRunner:
    """Compile both graphs for the GPU where there is one, else for the processor; nothing is kept.

    Raises:
        BundleError, RunnerError: as :class:`OpenVinoRunner`.
    """
    return OpenVinoRunner(bundle, threads)


class OpenVinoRunner(Runner):
    """Two compiled graphs; a window at a time on a GPU, one per thread on the processor.

    Args:
        bundle: where the graphs are.
        threads: windows to decode at the same time on the processor.

    Raises:
        BundleError: a file of the bundle is damaged.
        RunnerError: OpenVINO refuses a graph.
    """

    name: ClassVar[str] = "openvino"

    def __init__(self, bundle: Bundle, threads: int = 2) -> None:
        import openvino  # here: other runners, and `auto`, do without it

        core = openvino.Core()
        self.device = "GPU" if any(name.startswith("GPU") for name in core.available_devices) else "CPU"
        self.concurrency = 1 if self.device == "GPU" else threads
        self._graphs = {
            file: _compile(core, bundle, file, self.device) for file in (ENCODER_FILE, DECODER_FILE)
        }

    def _run_encoder(self, inputs: EncoderInputs) -> Sequence[Float32]:
        return self._run(ENCODER_FILE, inputs.feeds(), ENCODER_OUTPUTS)

    def _run_decoder(self, hidden: Float32, features: Float32) -> Sequence[Float32]:
        return self._run(DECODER_FILE, {"hidden": hidden, "features": features}, DECODER_OUTPUTS)

    def _run(self, file: str, feeds: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> Sequence[Float32]:
        try:
            request = self._graphs[file].create_infer_request()  # one may not be used by two threads
            contiguous = {name: np.ascontiguousarray(array) for name, array in feeds.items()}
            request.infer(contiguous, share_inputs=True)
            return [np.array(request.get_tensor(name).data, np.float32) for name in outputs]
        except Exception as error:  # the library raises RuntimeError and its own classes
            shapes = {name: array.shape for name, array in feeds.items()}
            raise RunnerError(f"OpenVINO failed in {file} with {shapes}: {error}") from error

    def close(self) -> None:
        """Free both graphs."""
        self._graphs.clear()


def _compile(core: Any, bundle: Bundle, file: str, device: str) -> Any:
    settings = {"PERFORMANCE_HINT": "LATENCY"}
    if device == "CPU":
        settings |= {"INFERENCE_NUM_THREADS": "1", "INFERENCE_PRECISION_HINT": "f32"}
    try:
        return core.compile_model(core.read_model(bundle.read(file)), device, settings)
    except RuntimeError as error:
        raise RunnerError(f"{bundle.path}: OpenVINO refuses {file}: {error}") from error
