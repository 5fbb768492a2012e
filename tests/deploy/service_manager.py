"""A double of systemd for one unit: starts its command, reads its notices, ends it when it falls silent.

What it does of the unit file: ``ExecStart``, ``WatchdogSec`` (shortened), ``Restart=always`` and
``Type=notify``. Users, hardening and control groups need the real one.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path


def setting(unit: Path, name: str) -> str:
    """Value of a setting that stands in a unit once."""
    values = [line.partition("=")[2] for line in unit.read_text().splitlines() if line.startswith(f"{name}=")]
    assert len(values) == 1, f"{name} stands {len(values)} times in {unit}"
    return values[0]


class ServiceManager:
    """Keeps a unit running.

    Args:
        unit: its file.
        swaps: words of its command and what stands for them here.
        folder: for the socket and the log.
        watchdog_s: instead of the unit's own, which has to be longer.
        environment: of the command, besides what systemd sets.
    """

    def __init__(
        self,
        unit: Path,
        swaps: dict[str, list[str]],
        folder: Path,
        watchdog_s: float,
        environment: dict[str, str],
    ) -> None:
        assert setting(unit, "Type") == "notify" and setting(unit, "Restart") == "always"
        assert float(setting(unit, "WatchdogSec")) >= watchdog_s
        self.command = [
            part for word in setting(unit, "ExecStart").split() for part in swaps.get(word, [word])
        ]
        self.watchdog_s = watchdog_s
        self.log = folder / "unit.log"
        self.heard: list[tuple[float, str]] = []
        self.ends: list[int] = []
        """How each process ended: status, or the number of the signal, negative."""
        self._path = folder / "notify.socket"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._socket.settimeout(0.05)
        self._environment = {**os.environ, **environment, "NOTIFY_SOCKET": str(self._path)}
        self._environment["WATCHDOG_USEC"] = str(round(watchdog_s * 1e6))
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._keep)
        self._thread.start()

    def count(self, line: str) -> int:
        """How often a notice has come."""
        return sum(text == line for _, text in self.heard)

    def close(self) -> None:
        """Stop the unit and wait for its end."""
        self._closed.set()
        self._thread.join(60)
        self._socket.close()

    def _keep(self) -> None:
        while not self._closed.is_set():
            with self.log.open("ab") as log:
                process = subprocess.Popen(self.command, env=self._environment, stderr=log, stdout=log)
            self._watch(process)
            process.send_signal(signal.SIGTERM if self._closed.is_set() else signal.SIGABRT)
            try:
                self.ends.append(process.wait(30))
            except subprocess.TimeoutExpired:
                process.kill()
                self.ends.append(process.wait())

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Return when the process has ended, has said nothing for too long, or the unit is stopped."""
        is_ready, alive = False, time.monotonic()
        while process.poll() is None and not self._closed.is_set():
            for line in self._read():
                self.heard.append((time.monotonic(), line))
                is_ready = is_ready or line == "READY=1"
                if line in ("READY=1", "WATCHDOG=1"):
                    alive = time.monotonic()
            if is_ready and time.monotonic() - alive > self.watchdog_s:
                return

    def _read(self) -> list[str]:
        try:
            return self._socket.recv(4096).decode().split("\n")
        except TimeoutError:
            return []
