"""NVIDIA's libraries, looked for when they are needed: TensorRT of JetPack, TensorRT-RTX of PyPI, PyCUDA."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any

from ..errors import RunnerError

RTX_LIBRARIES = ("onnxruntime-ep-nv-tensorrt-rtx-cu13", "onnxruntime-ep-nv-tensorrt-rtx-cu12")
RTX_FILES = ("libtensorrt_rtx.so.", "libtensorrt_onnxparser_rtx.so.")  # in the order of loading
RTX_BINDINGS = "tensorrt_rtx_bindings"
OLDEST = (10, 3)


@dataclass(frozen=True)
class TensorRt:
    """A TensorRT that can be used."""

    api: Any
    """The Python bindings, a module."""
    name: str
    """With its version, part of the key of every engine: engines of another version do not load."""
    rtx: bool = False
    """TensorRT-RTX, whose builder needs no GPU, and whose engines run on RTX cards alone."""


@dataclass(frozen=True)
class Gpu:
    """What an engine is built for."""

    name: str
    """As the driver tells it; empty where an engine is built without a GPU."""
    compute_capability: int
    """Major and minor in one number, 87 for Orin; 0 for whatever TensorRT-RTX builds for by default."""


def load_tensorrt() -> TensorRt:
    """Import TensorRT, or TensorRT-RTX where there is no other.

    Raises:
        ImportError: there is neither, or it is older than 10.3.
    """
    try:
        api = import_module("tensorrt")
    except ImportError:
        return _load_rtx()
    version = str(api.__version__)
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise ImportError(f"TensorRT {version} is too old, 10.3 is the oldest supported: install JetPack 6.1")
    return TensorRt(api, f"tensorrt {version}")


def _load_rtx() -> TensorRt:
    for path in rtx_libraries():
        # The bindings ask for these by name; what is loaded already under that name is taken.
        ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    api = import_module(RTX_BINDINGS)
    return TensorRt(api, f"tensorrt-rtx {api.__version__}", rtx=True)


def rtx_libraries() -> tuple[str, ...]:
    """Paths of the libraries of TensorRT-RTX in the wheel that carries them.

    The record of the wheel is read rather than its folder, where importing the wheel's own module leaves
    links of the same names.

    Raises:
        ImportError: no such wheel.
    """
    for wheel in RTX_LIBRARIES:
        try:
            files = metadata.distribution(wheel).files or []
        except metadata.PackageNotFoundError:
            continue
        paths = [str(file.locate()) for start in RTX_FILES for file in files if file.name.startswith(start)]
        if len(paths) == len(RTX_FILES):
            return tuple(paths)
    raise ImportError(
        "neither TensorRT (JetPack: apt install python3-libnvinfer, venv with --system-site-packages) "
        "nor TensorRT-RTX (pip install 'sovits-tiny[rtx]') is installed"
    )


def load_pycuda() -> Any:
    """Import the driver module of PyCUDA; no context is made (never ``pycuda.autoinit``).

    Raises:
        ImportError: it is not installed, or there is no NVIDIA driver.
    """
    return import_module("pycuda.driver")


def find_gpu(driver: Any) -> Gpu:
    """Name and compute capability of the first GPU.

    Raises:
        RunnerError: there is none.
    """
    try:
        driver.init()
        device = driver.Device(0)
        major, minor = device.compute_capability()
    except driver.Error as error:
        raise RunnerError(f"no usable NVIDIA GPU: {error}; see nvidia-smi or tegrastats") from error
    return Gpu(str(device.name()), 10 * major + minor)


def error_log(api: Any) -> Any:
    """A logger that keeps what went wrong in ``errors``: TensorRT gives None and tells the reason there."""

    class ErrorLog(api.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            api.ILogger.__init__(self)
            self.errors: list[str] = []

        def log(self, severity: Any, text: str) -> None:
            if severity in (api.ILogger.ERROR, api.ILogger.INTERNAL_ERROR):
                self.errors.append(" ".join(text.split()))

        def reason(self) -> str:
            """The first error, which the others follow from, as one line."""
            return self.errors[0] if self.errors else "TensorRT gives no reason"

    return ErrorLog()
