"""A Debian root with its own systemd, booted by systemd-nspawn: a box to install on, with a wire or none."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

PACKAGES = (
    "python3", "python3-venv", "libportaudio2", "adduser", "systemd", "systemd-sysv", "dbus", "mosquitto",
)  # fmt: skip
BOOT_S = 180.0
ENVIRONMENT = (
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
)  # fmt: skip


def make_base(
    base: Path, suite: str = "bookworm", architecture: str = "amd64", more: Sequence[str] = ()
) -> None:
    """Make a bare root, if it is not there, with more packages if asked."""
    if base.exists():
        return
    partial = base.with_name(f".{base.name}")
    shutil.rmtree(partial, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", f"--arch={architecture}"]
    command += [f"--include={','.join([*PACKAGES, *more])}", suite, str(partial)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    partial.rename(base)


class Box:
    """A running root.

    Args:
        base: bare root; it is copied.
        root: where the copy lies.
        name: of the machine.
        network: path of the network namespace it lives in; empty: it has no network.
    """

    def __init__(self, base: Path, root: Path, name: str = "sovits-check", network: str = "") -> None:
        self.root = root
        self._name, self._network = name, network
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(root)], check=True)

    def boot(self) -> None:
        """Start it, and wait until its systemd has come up."""
        network = f"--network-namespace-path={self._network}" if self._network else "--private-network"
        command = ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}", network]
        command += ["--link-journal=no", "--register=no", "--keep-unit", f"--machine={self._name}"]
        log = (self.root.parent / "console.log").open("ab")
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + BOOT_S
        while time.monotonic() < until:
            if self._leader() and self.run("systemctl", "is-system-running").stdout.strip() in (
                "running",
                "degraded",
            ):
                return
            time.sleep(0.5)
        raise AssertionError("the box does not boot; see console.log")

    def run(self, *command: str, timeout_s: float = 1200) -> subprocess.CompletedProcess[str]:
        """Run a command as root."""
        enter = ["nsenter", "--all", "--target", self._leader(), "env", "-i", *ENVIRONMENT]
        return subprocess.run([*enter, *command], capture_output=True, text=True, timeout=timeout_s)

    def good(self, *command: str) -> str:
        """Run a command that has to succeed; gives what it printed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}: {(done.stdout + done.stderr)[-800:]}"
        return done.stdout.strip()

    def shut_down(self) -> None:
        """Power off."""
        if self._process is not None:
            self.run("systemctl", "poweroff")
            self._process.wait(120)
            self._process = None

    def _leader(self) -> str:
        """Process id of the root's systemd, seen from here; empty before it is there."""
        assert self._process is not None
        done = subprocess.run(["pgrep", "-P", str(self._process.pid)], capture_output=True, text=True)
        return done.stdout.split()[0] if done.stdout.split() else ""


def wait_for(box: Box, command: Sequence[str], wanted: str, limit_s: float = 120) -> None:
    """Run a command until it prints what is wanted."""
    until = time.monotonic() + limit_s
    while (found := box.run(*command).stdout.strip()) != wanted:
        assert time.monotonic() < until, f"{' '.join(command)}: {found!r}, expected {wanted!r}"
        time.sleep(0.5)
