"""The runner that is fastest on this machine, by measurement; measured again when anything changes.

What was found is kept in ``<state>/verdicts/<voice>.json`` with the evidence, for people to read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from ..bundle.bundle import Bundle
from ..errors import ConfigError, EdgeError
from ..text import FrontEnd
from . import open_runner
from .base import Runner
from .verdict import Bench, Evidence, Thresholds, compare, rejection, verdict_lines, winner

logger = logging.getLogger(__name__)

REFERENCE = "onnxruntime"
CANDIDATES = (REFERENCE, "tensorrt", "openvino")
VERDICTS_FOLDER = "verdicts"
LIBRARIES = ("onnxruntime", "openvino", "numpy", "tensorrt", "tensorrt-rtx-cu13-bindings", "pycuda")
HARDWARE_FILES = (
    "/proc/device-tree/model",
    "/etc/nv_tegra_release",
    "/proc/driver/nvidia/version",
    "/sys/class/drm/renderD128/device/uevent",
)


def open_bundle(bundle: Bundle, threads: int, state_dir: Path | None) -> Runner:
    """Open the runner that wins here: the one found before, or else the one found now.

    Raises:
        BundleError, RunnerError: not even the reference runs.
    """
    fingerprint = describe(bundle, threads, state_dir)
    path = state_dir / VERDICTS_FOLDER / f"{bundle.manifest.name}.json" if state_dir else None
    known = read(path) if path else None
    if known and known["fingerprint"] == fingerprint:
        try:
            return open_runner(bundle, known["winner"], threads, state_dir)
        except EdgeError as error:
            logger.warning("runner %s won here before and fails now: %s", known["winner"], error)
    runner, verdict = choose(bundle, threads, state_dir)
    logger.info("runner %s: %s", verdict["winner"], verdict["why"])
    if path is not None:
        write(path, {"fingerprint": fingerprint, **verdict})
    return runner


def choose(
    bundle: Bundle, threads: int, state_dir: Path | None, limits: Thresholds | None = None
) -> tuple[Runner, dict[str, Any]]:
    """Measure every candidate that opens, and return the winner with the evidence.

    Raises:
        BundleError, RunnerError: the reference does not open.
    """
    limits = limits or Thresholds()
    runners, absent = _open_all(bundle, threads, state_dir)
    found: dict[str, Evidence] = {}
    if len(runners) > 1:  # else there is nothing to choose, and the start need not wait
        lines = verdict_lines(bundle, FrontEnd())
        found = compare(Bench(bundle.manifest, lines, runners[REFERENCE]), REFERENCE, runners, limits)
    best = winner(REFERENCE, found, limits)
    for name, runner in runners.items():
        if name != best:
            runner.close()
    return runners[best], {
        "winner": best,
        "why": _why(best, found, limits),
        "evidence": {name: evidence.to_dict() for name, evidence in found.items()},
        "absent": absent,
    }


def _open_all(
    bundle: Bundle, threads: int, state_dir: Path | None
) -> tuple[dict[str, Runner], dict[str, str]]:
    runners, absent = {REFERENCE: open_runner(bundle, REFERENCE, threads, state_dir)}, {}
    for name in CANDIDATES[1:]:
        try:
            runners[name] = open_runner(bundle, name, threads, state_dir)
        except (ConfigError, EdgeError) as error:
            absent[name] = str(error)
    return runners, absent


def _why(best: str, found: Mapping[str, Evidence], limits: Thresholds) -> str:
    if not found:
        return "nothing else is installed"
    if best != REFERENCE:
        return f"{found[best].speedup:.2f} times as fast as {REFERENCE}"
    lost = [f"{name}: {rejection(evidence, limits)}" for name, evidence in found.items() if name != REFERENCE]
    return "; ".join(lost)


def describe(bundle: Bundle, threads: int, state_dir: Path | None) -> dict[str, Any]:
    """What a verdict holds for: voice, libraries, hardware, drivers, engines."""
    return {
        "bundle": bundle.identity,
        "threads": threads,
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "libraries": {name: version for name in LIBRARIES if (version := _version(name))},
        "hardware": {path: _digest(Path(path)) for path in HARDWARE_FILES if Path(path).exists()},
        "engines": _engines(bundle, state_dir),
    }


def _engines(bundle: Bundle, state_dir: Path | None) -> str:
    from .engines import EngineStore
    from .trt import ENGINES_FOLDER

    found = EngineStore(state_dir / ENGINES_FOLDER, bundle.manifest.name).current() if state_dir else None
    return found.key.digest if found else ""


def _processor() -> str:
    """Model and instruction sets: what INT8 kernels are chosen by."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    first = text.split("\n\n")[0].splitlines()
    kept = [line for line in first if line.startswith(("model name", "flags", "Features", "CPU part"))]
    model = next((line.split(":", 1)[1].strip() for line in kept if line.startswith("model")), "")
    return f"{model or platform.machine()} {hashlib.sha256(chr(10).join(kept).encode()).hexdigest()[:8]}"


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        return str(error.strerror)


def read(path: Path) -> dict[str, Any] | None:
    """A verdict; None if there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(content, dict) and content.get("winner") in CANDIDATES and "fingerprint" in content
    return content if whole else None


def write(path: Path, verdict: Mapping[str, Any]) -> None:
    """Keep a verdict; one that cannot be written is measured again next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + ".partial")
        partial.write_text(json.dumps(verdict, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        logger.warning("verdict not kept: %s: %s", path, error.strerror)
