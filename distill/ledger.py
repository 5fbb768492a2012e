"""Ledger of a run: steps finished, their cost, and the machine: ``cost.json``."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from .files import read_json, write_json

_PACKAGES = ("lightning", "numpy", "onnx", "onnxruntime", "torch")


class Ledger:
    """The steps of a run on disk.

    A step is known by its name and a digest of everything that its result depends on. What was finished with
    the same digest need not be done again.

    Args:
        path: JSON file, made with the first step.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        content = read_json(path) if path.is_file() else {}
        self._steps: dict[str, dict[str, Any]] = content.get("steps", {})

    def is_done(self, name: str, digest: str) -> bool:
        """Whether a step was finished with this digest."""
        entry = self._steps.get(name, {})
        return entry.get("digest") == digest and entry.get("finished") is not None

    def seconds(self, name: str) -> float:
        """Time that a step has taken in all its attempts; 0 when it was never begun."""
        return float(self._steps.get(name, {}).get("seconds", 0.0))

    @contextmanager
    def work(self, name: str, digest: str) -> Iterator[None]:
        """Do a step: its time is kept even if it fails, and is added to that of earlier attempts."""
        entry = self._steps.get(name, {})
        spent = float(entry.get("seconds", 0.0)) if entry.get("digest") == digest else 0.0
        started, finished = time.monotonic(), None
        try:
            yield
            finished = datetime.now(timezone.utc).isoformat(timespec="seconds")
        finally:
            seconds = round(spent + time.monotonic() - started, 1)
            self._steps[name] = {"seconds": seconds, "finished": finished, "digest": digest}
            self._write()

    def _write(self) -> None:
        write_json(self._path, {"steps": self._steps, "device": device(), "versions": versions()})


def device() -> dict[str, Any]:
    """Processor, cores, and what CUDA finds."""
    import torch

    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text("utf-8").splitlines()
        processor = next((row.split(": ")[1] for row in lines if row.startswith("model name")), processor)
    gpus = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    return {"processor": processor, "cores": os.cpu_count() or 1, "gpus": ", ".join(gpus) or "none"}


def versions() -> dict[str, str]:
    """Python, our own version and the libraries that decide the result."""
    return {
        "python": platform.python_version(),
        "sovits-tiny": metadata.version("sovits-tiny"),
        **{name: metadata.version(name) for name in _PACKAGES},
    }


def digest_of(*parts: Any) -> str:
    """Digest of values that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def fingerprint(path: Path) -> list[Any]:
    """What changes when a file, or any file of a folder, is replaced: names, sizes and times."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files]


def spoken_time(seconds: float) -> str:
    """Write a length of time for people: ``4.2 s``, ``3 min 05 s``, ``2 h 07 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
