"""One file per inference library behind one small contract (:mod:`edge.runners.base`)."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ..bundle.bundle import Bundle
from ..errors import ConfigError
from .base import EncoderInputs, EncoderOutputs, Runner

# Name: module with `open_bundle`. `auto` chooses among the others by what it measures.
RUNNERS = {"onnxruntime": "ort", "tensorrt": "trt", "openvino": "ov", "auto": "auto"}


def open_runner(
    bundle: Bundle, name: str = "onnxruntime", threads: int = 2, state_dir: Path | None = None
) -> Runner:
    """Open a runner by name; its library is imported only now.

    Args:
        bundle: voice to run.
        name: one of ``RUNNERS``.
        threads: windows to decode at the same time, where the library computes on the processor.
        state_dir: where engines and verdicts are kept; without it, ``auto`` measures anew each time and
            ``tensorrt`` has nothing to run.

    Raises:
        ConfigError: no such runner, or its library is not installed.
        RunnerError: the library refuses the bundle.
    """
    if name not in RUNNERS:
        raise ConfigError(f"runner {name!r} is not known; choose one of {', '.join(RUNNERS)}")
    try:
        module = import_module(f".{RUNNERS[name]}", __package__)
        runner: Runner = module.open_bundle(bundle, threads, state_dir)
    except ImportError as error:
        raise ConfigError(f"runner {name!r} needs a library that is not installed: {error}") from error
    return runner


__all__ = ["RUNNERS", "EncoderInputs", "EncoderOutputs", "Runner", "open_runner"]
