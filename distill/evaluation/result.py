"""A number, what it had to be, whether it was, and the file that keeps it."""

from __future__ import annotations

import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from edge.bundle.manifest import Manifest

from ..files import write_json

TEACHER, FLOAT, STUDENT = SPEAKERS = ("teacher", "float networks", "student")
"""Names of those who are heard side by side, in the detail of a check."""

_PACKAGES = ("numpy", "onnxruntime", "pocketsphinx", "pyworld", "scipy", "soxr")


@dataclass(frozen=True)
class Check:
    """One measured number with its target."""

    measure: str
    """What was measured, e.g. ``word error above teacher``."""
    subject: str
    """On whom, e.g. ``claire`` or ``noah zh``."""
    value: float
    """The number; NaN where nothing could be measured, which never passes."""
    bound: Literal["at most", "at least"]
    """``at most`` or ``at least``."""
    target: float | None
    """What ``value`` is held against; None for a number that is only reported."""
    unit: str
    """Of value and target."""
    n: int
    """How many lines, joins or phonemes it rests on."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Further numbers behind it."""

    @property
    def passed(self) -> bool | None:
        """True or False against the target; None without one."""
        if self.target is None:
            return None
        if math.isnan(self.value):
            return False
        return self.value <= self.target if self.bound == "at most" else self.value >= self.target

    def __str__(self) -> str:
        target = "" if self.target is None else f", {self.bound} {self.target:g}"
        verdict = {True: " - met", False: " - NOT MET", None: ""}[self.passed]
        return f"{self.measure}, {self.subject}: {self.value:.4g} {self.unit}{target}{verdict}"

    def to_dict(self) -> dict[str, Any]:
        """As the result file holds it."""
        return asdict(self) | {"passed": self.passed}


@dataclass(frozen=True)
class LeftOut:
    """A measure that can say nothing about a voice."""

    measure: str
    """What would have been measured."""
    subject: str
    """On whom."""
    reason: str
    """Why it was not."""

    def __str__(self) -> str:
        return f"{self.measure}, {self.subject}: left out, {self.reason}"


@dataclass(frozen=True)
class Target:
    """What a measure must come to; makes the checks of that measure."""

    measure: str
    bound: Literal["at most", "at least"]
    target: float
    unit: str

    def check(self, subject: str, value: float, n: int, /, **detail: Any) -> Check:
        """Hold a number against the target."""
        return Check(self.measure, subject, value, self.bound, self.target, self.unit, n, detail)

    def report(self, subject: str, value: float, n: int, /, **detail: Any) -> Check:
        """Note a number that is not held against the target."""
        return Check(self.measure, subject, value, self.bound, None, self.unit, n, detail)

    def left_out(self, subject: str, reason: str) -> LeftOut:
        """Say why nothing is measured."""
        return LeftOut(self.measure, subject, reason)


def write_results(
    path: Path, checks: Sequence[Check], manifest: Manifest, left_out: Sequence[LeftOut] = ()
) -> None:
    """Write every number with what it was measured on; the file appears whole or not at all."""
    judged = [check.passed for check in checks if check.passed is not None]
    content = {
        "voice": {"name": manifest.name, "version": manifest.version, "scheme": manifest.quantization.scheme},
        "files": {name: entry.sha256 for name, entry in manifest.files.items()},
        "measured": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "environment": environment(),
        "passed": sum(judged),
        "judged": len(judged),
        "checks": [_plain(check.to_dict()) for check in checks],
        "left_out": [asdict(measure) for measure in left_out],
    }
    write_json(path, content)


def _version(package: str) -> str:
    """Version of an import package, whatever the name of its distribution: pyworld has two."""
    return metadata.version(metadata.packages_distributions()[package][0])


def environment() -> dict[str, Any]:
    """Device, versions and commit."""
    return {
        "device": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "espeak_ng": _first_line("espeak-ng", "--version"),
        "commit": _first_line("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _first_line(*command: str) -> str:
    """First line that a program prints; ``absent`` when it is not installed or fails."""
    try:
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "absent"
    return printed.strip().split("\n")[0].split("  ")[0]


def _plain(value: Any) -> Any:
    """Round numbers to what means something, NaN to null, so that the file is small and valid JSON."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return None if not math.isfinite(value) else round(value, 4)
    return value
