"""Checks of a device: each says what was found and, where something is wrong, what to do."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edge.bundle.trust.store import TrustStore
from edge.config import EdgeConfig, load_config
from edge.doctor.finding import Finding, Level, worst
from edge.errors import EdgeError
from edge.permission import trust_directory

from .devices import Facts, Profile, detect, read_facts
from .paths import Paths
from .slot import Slot

__all__ = ["Doctor", "Finding", "worst"]

DISK_MB = 2_000
COMMAND_LIMIT_S = 180  # trying out a broker takes half a minute
Run = Callable[[Sequence[str]], "tuple[int, str]"]


def run_command(command: Sequence[str]) -> tuple[int, str]:
    """Status and output of a command; 127 where there is none."""
    if shutil.which(command[0]) is None:
        return 127, ""
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


class Doctor:
    """Looks at a device.

    Args:
        paths: where things lie.
        run: runs a command.
    """

    def __init__(self, paths: Paths, run: Run = run_command) -> None:
        self._paths = paths
        self._run = run
        self._facts: Facts = read_facts(paths.root)
        self._profile: Profile = detect(self._facts)

    def look(self, *, install: bool = False) -> list[Finding]:
        """Do all checks; with ``install`` only those that have to pass before the service can start."""
        checks = [self._device, self._packages, self._disk, self._config, self._trust, self._software]
        if not install:
            checks += [self._unit, self._trials, self._power]
        return [finding for check in checks for finding in check()]

    def _device(self) -> Iterator[Finding]:
        profile, facts = self._profile, self._facts
        system = facts.system or "system unknown"
        found = f"{profile.name}: {profile.description}, {system}, Python {facts.python}"
        yield Finding("device", "ok", found)
        for remark in profile.remarks:
            yield Finding("device", "warning", facts.system or facts.machine, remark)

    def _packages(self) -> Iterator[Finding]:
        status, _ = self._run(["dpkg-query", "--version"])
        if status:
            yield Finding(
                "packages", "warning", "no dpkg here", "see docs/deploy-a-device.md for other systems"
            )
            return
        missing = [name for name in self._profile.packages if not self._is_installed(name)]
        if missing:
            yield Finding(
                "packages", "error", f"not installed: {' '.join(missing)}", f"apt install {' '.join(missing)}"
            )
        else:
            yield Finding("packages", "ok", f"{len(self._profile.packages)} installed")

    def _is_installed(self, package: str) -> bool:
        status, text = self._run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", package])
        return status == 0 and text == "installed"

    def _disk(self) -> Iterator[Finding]:
        for path in (self._paths.software, self._paths.state):
            there = next(parent for parent in (path, *path.parents) if parent.exists())
            free = shutil.disk_usage(there).free // 10**6
            level: Level = "ok" if free >= DISK_MB else "error"
            remedy = "" if level == "ok" else f"free {DISK_MB} MB: an update needs room beside what is in use"
            yield Finding("disk", level, f"{free} MB free for {path}", remedy)

    def _config(self) -> Iterator[Finding]:
        path = self._paths.config
        if not path.exists():
            yield Finding(
                "configuration", "warning", f"no {path}: defaults are used", "copy the example there"
            )
            return
        try:
            load_config(path)
        except EdgeError as error:
            yield Finding("configuration", "error", str(error), "edit the file")
        else:
            yield Finding("configuration", "ok", str(path))

    def _trust(self) -> Iterator[Finding]:
        config = self._edge_config()
        directory = trust_directory(config) if config else self._paths.state / "trust"
        try:
            store = TrustStore(directory, config.trust.copy_directory if config else None)
        except EdgeError as error:
            yield Finding("trust", "error", str(error), "import the studio's documents again")
            return
        for fault in store.faults:
            yield Finding("trust", "warning", fault)
        if store.root is None:
            yield Finding(
                "trust", "warning", "no studio is known: only synthetic voices speak", "sovits-deploy import"
            )
            return
        age = store.freshness()
        level: Level = "warning" if age.stale else "ok"
        remedy = "import the newest list" if age.stale else ""
        yield Finding("trust", level, f"keys {store.root.version}, revocation list {age.seq}", remedy)

    def _software(self) -> Iterator[Finding]:
        slot = Slot(self._paths.software)
        if not slot.current():
            yield Finding("software", "error", "none installed", "sovits-deploy install MEDIUM")
            return
        trial = " (on trial)" if slot.trial() else ""
        yield Finding("software", "ok", f"{slot.current()}{trial}, before it {slot.previous() or 'none'}")
        python = slot.path(slot.current()) / "venv/bin/python"
        if self._profile.system_packages:
            status, text = self._run([str(python), "-c", "import tensorrt; print(tensorrt.__version__)"])
            level: Level = "error" if status else "ok"
            yield Finding(
                "tensorrt",
                level,
                text or "cannot be imported",
                "apt install nvidia-jetpack" if status else "",
            )

    def _unit(self) -> Iterator[Finding]:
        status, text = self._run(["systemctl", "is-active", "sovits"])
        if status == 127:
            yield Finding("unit", "warning", "no systemd here", "start the daemon another way")
        else:
            remedy = "" if status == 0 else "journalctl -u sovits says why"
            yield Finding("unit", "ok" if status == 0 else "error", text, remedy)

    def _trials(self) -> Iterator[Finding]:
        """What the release finds by trying: clock, disk, sound card, voice, broker."""
        slot = Slot(self._paths.software)
        if not slot.current():
            return
        python = slot.path(slot.current()) / "venv/bin/python"
        command = [str(python), "-m", "edge", "doctor", "--json"]
        status, text = self._run([*command, *_config_option(self._paths)])
        try:
            told = json.loads(text.splitlines()[0])["findings"]
            yield from (Finding(**one) for one in told)
        except (ValueError, KeyError, TypeError, IndexError):
            remedy = "sovits-edge doctor tells more"
            yield Finding("trials", "error", f"exit status {status}: {text[-200:]}", remedy)

    def _power(self) -> Iterator[Finding]:
        if not self._profile.power:
            return
        status, text = self._run(["nvpmodel", "-q"])
        level: Level = "ok" if status == 0 and "MAXN" in text else "warning"
        yield Finding(
            "power",
            level,
            " ".join(text.split()) or "nvpmodel is missing",
            "" if level == "ok" else self._profile.power,
        )

    def _edge_config(self) -> EdgeConfig | None:
        try:
            values = {"state_dir": str(self._paths.state)}
            return load_config(self._paths.config if self._paths.config.exists() else None, values)
        except EdgeError:
            return None


def config_of(paths: Paths) -> Path | None:
    """Configuration file of the device, None where there is none."""
    return paths.config if paths.config.exists() else None


def _config_option(paths: Paths) -> list[str]:
    path = config_of(paths)
    return [] if path is None else ["--config", str(path)]
