"""Watts, temperatures, clocks and the power mode of a machine, as far as it tells them; nothing is ever set.

INA3221 (Jetson): rails by label from hwmon, in mV and mA. RAPL (Intel, AMD): energy counters of powercap,
which only root may read since 2020 unless the permission is given. What is not there is left out.
"""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections import defaultdict
from pathlib import Path
from statistics import fmean

INTERVAL_S = 0.1


class Sensors:
    """What can be read under a ``/sys``."""

    def __init__(self, root: Path = Path("/sys")) -> None:
        self._root = root

    def rails_w(self) -> dict[str, float]:
        """Watts of each rail of the power monitors, by label."""
        rails = {}
        for monitor in self._root.glob("class/hwmon/hwmon*"):
            if _read(monitor / "name") != "ina3221":
                continue
            for label in monitor.glob("in*_label"):
                number = label.name[2:-6]
                millivolts, milliamperes = (
                    _read(monitor / f"{kind}{number}_input") for kind in ("in", "curr")
                )
                if millivolts and milliamperes:
                    rails[_read(label)] = int(millivolts) * int(milliamperes) / 1e6
        return rails

    def energy_j(self) -> dict[str, tuple[float, float]]:
        """Joules counted by each RAPL domain, and the value at which it starts again."""
        counted = {}
        for domain in sorted(self._root.glob("class/powercap/*rapl:*")):
            energy, highest = (_read(domain / name) for name in ("energy_uj", "max_energy_range_uj"))
            if energy and highest:
                counted[_read(domain / "name")] = (int(energy) / 1e6, int(highest) / 1e6)
        return counted

    def celsius(self) -> dict[str, float]:
        """Temperature of each thermal zone."""
        zones = sorted(self._root.glob("class/thermal/thermal_zone*"))
        found = {_read(zone / "type"): _read(zone / "temp") for zone in zones}
        return {
            name: int(value) / 1000 for name, value in found.items() if name and value.lstrip("-").isdigit()
        }

    def megahertz(self) -> dict[str, float]:
        """Clock of each core and of devices that scale theirs, such as a GPU."""
        clocks = {}
        for core in sorted(self._root.glob("devices/system/cpu/cpu[0-9]*/cpufreq")):
            clocks[core.parent.name] = _number(core / "scaling_cur_freq") / 1e3
        for device in sorted(self._root.glob("class/devfreq/*")):
            clocks[device.name] = _number(device / "cur_freq") / 1e6
        return {name: clock for name, clock in clocks.items() if clock}


def power_mode(root: Path = Path("/sys")) -> str:
    """Name of the power mode: of ``nvpmodel`` on a Jetson, else of the platform profile; empty if unknown."""
    if shutil.which("nvpmodel"):
        answer = subprocess.run(["nvpmodel", "-q"], capture_output=True, text=True, timeout=10).stdout
        for line in answer.splitlines():
            if line.startswith("NV Power Mode:"):
                return line.partition(":")[2].strip()
    return _read(root / "firmware/acpi/platform_profile")


class PowerMeter:
    """Mean watts between entry and exit of the context, by rail or domain.

    Attributes:
        watts: after the exit; empty where nothing can be read.
    """

    def __init__(self, sensors: Sensors | None = None) -> None:
        self._sensors = sensors or Sensors()
        self._samples: dict[str, list[float]] = defaultdict(list)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="power", daemon=True)
        self.watts: dict[str, float] = {}

    def __enter__(self) -> PowerMeter:
        self._began, self._energy = time.monotonic(), self._sensors.energy_j()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        passed, energy = time.monotonic() - self._began, self._sensors.energy_j()
        self._stopped.set()
        self._thread.join()
        self.watts = {name: round(fmean(samples), 3) for name, samples in self._samples.items()}
        for name, (before, highest) in self._energy.items():
            if name in energy:
                self.watts[name] = round((energy[name][0] - before) % highest / passed, 3)

    def _watch(self) -> None:
        while not self._stopped.wait(INTERVAL_S):
            for name, watts in self._sensors.rails_w().items():
                self._samples[name].append(watts)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path) -> int:
    text = _read(path)
    return int(text) if text.isdigit() else 0
