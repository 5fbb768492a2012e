"""One file per inference library behind one small contract (:mod:`edge.runners.base`)."""

from __future__ import annotations

from importlib import import_module

from ..bundle.bundle import Bundle
from ..errors import ConfigError
from .base import EncoderInputs, EncoderOutputs, Runner

RUNNERS = {"onnxruntime": ("ort", "OnnxRuntimeRunner")}


def open_runner(bundle: Bundle, name: str = "onnxruntime", threads: int = 2) -> Runner:
    """Open a runner by name; its library is imported only now.

    Raises:
        ConfigError: no such runner, or its library is not installed.
        RunnerError: the library refuses the bundle.
    """
    if name not in RUNNERS:
        raise ConfigError(f"runner {name!r} is not known; choose one of {', '.join(RUNNERS)}")
    module, cls = RUNNERS[name]
    try:
        runner: Runner = getattr(import_module(f".{module}", __package__), cls)(bundle, threads)
    except ImportError as error:
        raise ConfigError(f"runner {name!r} needs a library that is not installed: {error}") from error
    return runner


__all__ = ["RUNNERS", "EncoderInputs", "EncoderOutputs", "Runner", "open_runner"]
