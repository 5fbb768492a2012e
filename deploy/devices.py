"""Device profiles: what a box says of itself, and what it then needs."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

PC_TARGETS = {"3.11": "pc-cp311-x86_64", "3.12": "nuc-cp312-x86_64"}
JETSON_GROUPS = ("audio", "video", "render")
BASE_PACKAGES = ("python3", "python3-venv", "libportaudio2", "adduser")


@dataclass(frozen=True)
class Facts:
    """What was read from a box; empty where it says nothing."""

    machine: str
    """Processor architecture, ``x86_64`` or ``aarch64``."""
    model: str = ""
    """Name of the board or the product."""
    l4t: str = ""
    """Release of the Jetson's system, such as ``36.4``."""
    system: str = ""
    """Such as ``ubuntu 22.04``."""
    python: str = ""
    """Of the system, such as ``3.10``."""
    nvidia_gpu: str = ""
    """Name of an NVIDIA card."""
    intel_gpu: bool = False
    """An Intel GPU has a render node."""
    memory_gb: int = 0
    """Of the box."""


@dataclass(frozen=True)
class Profile:
    """What a kind of device needs."""

    name: str
    """Of the profile."""
    description: str
    """For people."""
    target: str
    """Wheelhouse that fits; empty where none is packed for it."""
    packages: tuple[str, ...] = BASE_PACKAGES
    """Debian packages."""
    groups: tuple[str, ...] = ("audio",)
    """Of the service's user."""
    drop_in: str = "cpu.conf"
    """Of the unit, a file of ``deploy/systemd``."""
    runner: str = "onnxruntime"
    """Inference library to begin with."""
    system_packages: bool = False
    """The environment sees the system's packages."""
    power: str = ""
    """Command that sets the power mode; empty for none."""
    remarks: tuple[str, ...] = ()
    """What to look out for."""


def read_facts(root: Path = Path("/")) -> Facts:
    """Read what a box says of itself, from the files below ``root``."""
    release = _release(root)
    return Facts(
        machine=platform.machine() if root == Path("/") else _machine(root),
        model=_model(root),
        l4t=_l4t(_text(root / "etc/nv_tegra_release")),
        system=f"{release.get('ID', '')} {release.get('VERSION_ID', '')}".strip(),
        python=f"{sys.version_info[0]}.{sys.version_info[1]}" if root == Path("/") else _python(root),
        nvidia_gpu=_nvidia(root),
        intel_gpu=_intel(root),
        memory_gb=_memory_gb(_text(root / "proc/meminfo")),
    )


def detect(facts: Facts) -> Profile:
    """Choose the profile of a box."""
    if facts.l4t:
        return _jetson(facts)
    if facts.machine == "x86_64":
        return _pc(facts)
    remark = "no wheelhouse is packed for this box; pack one of its own Python"
    return Profile("other", facts.model or "unknown box", "", remarks=(remark,))


def _jetson(facts: Facts) -> Profile:
    """Tell the boards by their model and the JetPack by its L4T release."""
    major = int(facts.l4t.split(".")[0])
    board = next((name for name in ("AGX Orin", "Orin NX", "Orin Nano", "Thor") if name in facts.model), "")
    target = {36: "jp6-cp310-aarch64", 38: "jp7-cp312-aarch64", 39: "jp7-cp312-aarch64"}.get(major, "")
    remarks = []
    if not target:
        remarks.append(f"L4T {facts.l4t} is not supported: flash JetPack 6.1 to 6.2 or 7")
    elif facts.l4t.startswith("36.") and facts.l4t < "36.4":
        remarks.append(f"L4T {facts.l4t} is JetPack 6.0: upgrade to 6.1 or newer for TensorRT 10.3")
    return Profile(
        name=f"jetson-{board.lower().replace(' ', '-')}" if board else "jetson",
        description=f"{facts.model or 'Jetson'}, L4T {facts.l4t}",
        target=target,
        packages=(*BASE_PACKAGES, "python3-libnvinfer"),
        groups=JETSON_GROUPS,
        drop_in="jetson.conf",
        runner="auto",
        system_packages=True,
        power="nvpmodel -m 0 && jetson_clocks",
        remarks=tuple(remarks),
    )


def _pc(facts: Facts) -> Profile:
    target = PC_TARGETS.get(facts.python, "")
    known = ", ".join(PC_TARGETS)
    remarks = () if target else (f"wheelhouses are packed for Python {known}; this is {facts.python}",)
    if facts.nvidia_gpu:
        return Profile(
            "pc-rtx", f"PC with {facts.nvidia_gpu}", target, groups=JETSON_GROUPS, drop_in="rtx.conf",
            runner="auto", remarks=remarks,
        )  # fmt: skip
    if facts.intel_gpu:
        packages = (*BASE_PACKAGES, "intel-opencl-icd", "ocl-icd-libopencl1")
        return Profile(
            "nuc-igpu", facts.model or "PC with an Intel GPU", target, packages=packages,
            groups=("audio", "render"), drop_in="cpu.conf", runner="auto", remarks=remarks,
        )  # fmt: skip
    return Profile("nuc", facts.model or "PC", target, remarks=remarks)


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[:65_536].decode("utf-8", "replace").replace("\0", "").strip()
    except OSError:
        return ""


def _release(root: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in _text(root / "etc/os-release").splitlines())
    return {key: value.strip('"') for key, _, value in pairs}


def _model(root: Path) -> str:
    return _text(root / "proc/device-tree/model") or _text(root / "sys/class/dmi/id/product_name")


def _l4t(text: str) -> str:
    found = re.match(r"# R(\d+) \(release\), REVISION: (\d+(?:\.\d+)?)", text)
    return f"{found[1]}.{found[2]}" if found else ""


def _machine(root: Path) -> str:
    for machine in ("x86_64", "aarch64"):
        if list(root.glob(f"lib*/ld-linux-{machine.replace('_', '-')}.so.*")) or list(
            root.glob(f"usr/lib*/**/ld-linux-{machine.replace('_', '-')}.so.*")
        ):
            return machine
    return ""


def _python(root: Path) -> str:
    found = sorted(path.name.removeprefix("python") for path in root.glob("usr/bin/python3.[0-9]*"))
    return next((name for name in found if re.fullmatch(r"3\.\d+", name)), "")


def _nvidia(root: Path) -> str:
    cards = sorted(root.glob("proc/driver/nvidia/gpus/*/information"))
    found = re.search(r"^Model:\s*(.+)$", _text(cards[0]), re.MULTILINE) if cards else None
    return found[1] if found else ""


def _intel(root: Path) -> bool:
    nodes = root.glob("sys/class/drm/renderD*/device/vendor")
    return any(_text(path) == "0x8086" for path in nodes)


def _memory_gb(text: str) -> int:
    found = re.search(r"^MemTotal:\s*(\d+) kB", text, re.MULTILINE)
    return round(int(found[1]) / 2**20) if found else 0
