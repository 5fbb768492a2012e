"""Wheelhouses: every wheel that a kind of device needs, locked by hash, fetched on a workstation."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .environment import LOCK
from .errors import DeployError

TIMEOUT_S = 1800
NOT_SOURCE = (
    ".*", "__pycache__", "*.egg-info", "build", "dist", "runs", "corpus", "demo-out", "tests", "docs",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A Python on a kind of device."""

    name: str
    """Of the wheelhouse."""
    python: str
    """Version, such as ``3.10``."""
    machine: str
    """Processor architecture."""
    glibc: int
    """Minor version of the system's glibc 2."""

    @property
    def platforms(self) -> tuple[str, ...]:
        """Tags of wheels that run there: pip takes only the tags it is given, not older ones by itself."""
        tags = tuple(f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, 16, -1))
        return (*tags, f"manylinux2014_{self.machine}", f"linux_{self.machine}")

    @property
    def environment(self) -> dict[str, str]:
        """Values of environment markers there."""
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "platform_machine": self.machine,
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }


TARGETS = {
    target.name: target
    for target in (
        Target("jp6-cp310-aarch64", "3.10", "aarch64", 35),
        Target("jp7-cp312-aarch64", "3.12", "aarch64", 39),
        Target("nuc-cp312-x86_64", "3.12", "x86_64", 39),
        Target("pc-cp311-x86_64", "3.11", "x86_64", 36),  # Debian 12
    )
}


def requirements(constraints: str, target: Target) -> list[str]:
    """Lines of a list of exact versions that hold for a target.

    The markers are judged here: pip judges them for the Python it runs under, whatever it downloads for.

    Raises:
        DeployError: a line is not an exact version.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    chosen = []
    for line in constraints.splitlines():
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise DeployError(f"constraints: {text!r}: {error}") from error
        pin = str(requirement.specifier)
        if not re.fullmatch(r"==[^*]+", pin):
            raise DeployError(f"constraints: {text!r} is not an exact version; write name==version")
        if requirement.marker is None or requirement.marker.evaluate(target.environment):
            chosen.append(f"{requirement.name}{pin}")
    return chosen


def build_wheel(source: Path, folder: Path) -> Path:
    """Build the wheel of this project from a copy: what an earlier build left behind must not get in.

    Raises:
        DeployError: with the last line that pip wrote.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "source"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    _pip("wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(copy))
    shutil.rmtree(copy)
    return next(folder.glob("sovits_tiny-*.whl"))


def fill(
    target: Target,
    constraints: str,
    wheel: Path,
    folder: Path,
    step: Callable[[str], None] = lambda _text: None,
) -> Path:
    """Download every wheel of a target and write its lock.

    Args:
        target: what it is for.
        constraints: exact versions with markers; all that is needed, since nothing else is resolved.
        wheel: of this project.
        folder: made by this; emptied first of what does not belong there.
        step: told what is done.

    Raises:
        DeployError: a package has no wheel for the target, or the index cannot be reached.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = requirements(constraints, target)
    step(f"{target.name}: {len(wanted)} packages")
    download = [
        "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder),
        "--implementation", "cp", "--python-version", target.python,
    ]  # fmt: skip
    for tag in target.platforms:
        download += ["--platform", tag]
    abi = f"cp{target.python.replace('.', '')}"
    _pip(*download, "--abi", abi, "--abi", "abi3", "--abi", "none", *wanted)
    (folder / wheel.name).write_bytes(wheel.read_bytes())
    return write_lock(
        folder, {_canonical(line.split("==")[0]): line.split("==")[1] for line in wanted}, wheel
    )


def write_lock(folder: Path, versions: dict[str, str], wheel: Path) -> Path:
    """Write the lock: every wheel of the folder with its hash; wheels of other versions are removed.

    Raises:
        DeployError: a package has no wheel in the folder.
    """
    lines, found = [], set()
    for path in sorted(folder.glob("*.whl")):
        name, version = _canonical(path.name.split("-")[0]), path.name.split("-")[1]
        if path.name != wheel.name and versions.get(name) != version:
            path.unlink()
            continue
        found.add(name)
        lines.append(f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}")
    missing = sorted(versions.keys() - found)
    if missing:
        raise DeployError(
            f"{folder}: no wheel of {', '.join(missing)}; it cannot be installed without a network"
        )
    (folder / LOCK).write_text("\n".join(lines) + "\n", "ascii")
    return folder / LOCK


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [
            done.stderr[-200:]
        ]
        raise DeployError(f"pip {arguments[0]}: {lines[0].removeprefix('ERROR: ')}")
