"""Machine of a measurement: hardware, software and state, with which every figure is read."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FLAGS = (
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512_vnni",
    "amx_int8",
    "asimddp",
    "i8mm",
    "sve",
)  # what INT8 lives on
LIBRARIES = ("numpy", "onnxruntime", "paho-mqtt", "pydantic", "pyopenjtalk-plus")
PLAIN_AVX2 = "SOVITS_PLAIN_AVX2"  # set where ``plain_avx2.py`` hides what is newer than AVX2
NEWER = ("avx512", "avx_vnni", "amx")
BUSY_LOAD = 0.25  # of one core per core: more than this and something else is running


def describe() -> dict[str, Any]:
    """Machine, versions, commit and load, for the JSON of a run."""
    return {
        "cpu": _cpu_model(),
        "model": _read("/proc/device-tree/model"),
        "cores": len(os.sched_getaffinity(0)),
        "flags": [flag for flag in FLAGS if flag in _cpu_flags()],
        "plain_avx2": PLAIN_AVX2 in os.environ,
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or "unknown",
        "memory_mib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version for name in LIBRARIES if (version := _version(name))},
        "mosquitto": _mosquitto_version(),
        "commit": commit(),
        "modified": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "real_time": os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR),  # before all else that runs
        "load": round(os.getloadavg()[0], 2),
        "busy": os.getloadavg()[0] > BUSY_LOAD * len(os.sched_getaffinity(0)),
    }


def device_name() -> str:
    """Name for the folder of results: processor, cores, whether it has VNNI: ``intel-n100-4-vnni``."""
    words = re.sub(r"\(.*?\)|@.*|processor|cpu", " ", _cpu_model().lower())
    kind = "vnni" if any("vnni" in flag for flag in _cpu_flags()) else ""
    return re.sub(r"[^a-z0-9]+", "-", f"{words} {len(os.sched_getaffinity(0))} {kind}").strip("-")


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip("\x00\n ")
    except OSError:
        return ""


def _cpu_model() -> str:
    match = re.search(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return match[1] if match else _read("/proc/device-tree/model") or platform.machine()


def _cpu_flags() -> set[str]:
    match = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    flags = set(match[1].split()) if match else set()
    return {flag for flag in flags if not flag.startswith(NEWER)} if PLAIN_AVX2 in os.environ else flags


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _mosquitto_version() -> str:
    for program in ("mosquitto", "/usr/sbin/mosquitto"):
        try:
            output = subprocess.run([program, "-h"], capture_output=True, text=True, timeout=10).stdout
        except FileNotFoundError:
            continue
        return output.split("\n")[0].removeprefix("mosquitto version ")
    return ""


def commit(root: Path = ROOT) -> str:
    """What a checkout is of."""
    return _git("rev-parse", "--short=12", "HEAD", root=root)


def _git(*arguments: str, root: Path = ROOT) -> str:
    result = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, timeout=10)
    return result.stdout.strip()


def processor_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
