"""From a package to a speaking box under a systemd that runs: python -m tests.deploy.check_install FOLDER.

As root, with debootstrap and systemd-nspawn. FOLDER keeps the bare root and the media between runs. The box
has no network and no sound card. Writes ``benchmarks/results/install`` and the table of the document.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import machine
from tests.deploy.nspawn import Box, make_base, wait_for
from tests.deploy.published import put_table

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks/results/install/debian12-amd64.json"
DOCUMENT = ROOT / "docs/deploy-a-device.md"
TARGET = "pc-cp311-x86_64"
ACTIVE = ("systemctl", "is-active", "sovits")
RESTARTS = ("systemctl", "show", "--property=NRestarts", "--value", "sovits")
# A release that speaks its golden line and whose daemon does not start.
SICK = ("def serve(config", 'raise SystemExit("sick")\n\n\ndef serve(config')


class Studio:
    """Keys, and media of three releases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def deploy(self, *arguments: str) -> None:
        """Run sovits-deploy."""
        command = [sys.executable, "-m", "deploy", *arguments]
        environment = {
            "PYTHONPATH": str(ROOT),
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.folder),
        }
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr[-800:]}"

    def make_keys(self) -> None:
        """Make keys, the list of them and an empty revocation list."""
        names = ("root1", "root2", "studio", "release", "revocation")
        for name in names:
            self.deploy("keys", "make", f"{name}.pem")
        roles = [part for name in names[2:] for part in (f"--{name}", f"{name}.pub")]
        roots = ["--root", "root1.pub", "--root", "root2.pub", "--key", "root1.pem", "--key", "root2.pem"]
        self.deploy("keys", "root", *roots, *roles, "--out", "root.1.json")
        self.deploy("revoke", "--list", "revocations.json", "--key", "revocation.pem")

    def pack(self, version: str, previous: str = "", sick: bool = False) -> Path:
        """Pack this checkout as another version; gives the folder."""
        source, out = self.folder / f"source-{version}", self.folder / version
        files = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.split("\0")
        for name in filter(None, files):
            if not name.startswith(("tests/", "docs/", "benchmarks/results/")):
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, source / name)
        replace(source / "setup.py", 'version="0.1.0"', f'version="{version}"')
        if sick:
            replace(source / "edge/daemon/service.py", *SICK)
        common = ["--root", "root.1.json", "--revocations", "revocations.json", "--key", "release.pem"]
        more = ["--previous-index", f"{previous}/medium/index.json", "--no-deb"] if previous else []
        self.deploy("pack", "--out", str(out), "--source", str(source), "--target", TARGET, *common, *more)
        return out


def replace(path: Path, old: str, new: str) -> None:
    """Change one place of a file."""
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new), "utf-8")


class Check:
    """The steps, each with what was seen."""

    def __init__(self, box: Box, releases: dict[str, Path]) -> None:
        self.box = box
        self.releases = releases
        self.steps: list[dict[str, Any]] = []

    def step(self, what: str, do: Callable[[], str]) -> None:
        """Do a step; a fault ends the run."""
        began = time.monotonic()
        seen = do()
        self.steps.append({"step": what, "seen": seen, "seconds": round(time.monotonic() - began, 1)})
        sys.stderr.write(f"{what}: {seen}\n")

    def run(self) -> None:
        """Do all of it."""
        for what, do in (
            ("`dpkg -i` of the package, no network", self.install),
            ("`systemd-analyze security` of the running unit", self.exposure),
            ("`sovits-deploy doctor`", self.doctor),
            ("the same, its remedies applied", self.remedies),
            ("a line, asked for over MQTT", self.speak),
            ("a frozen daemon (SIGSTOP)", self.freeze),
            ("a killed daemon (SIGKILL)", self.kill),
            ("`update` to a newer release", self.update),
            ("`update` to a release whose daemon does not start", self.update_sick),
            ("`rollback`", self.roll_back),
            ("the box switched off and on", self.reboot),
            ("`dpkg --purge`", self.purge),
        ):
            self.step(what, do)

    def install(self) -> str:
        (package,) = self.releases["0.1.0"].glob("*.deb")
        shutil.copy(package, self.box.root / "root/package.deb")
        self.box.good("dpkg", "-i", "/root/package.deb")
        wait_for(self.box, ACTIVE, "active")
        user = self.box.good("systemctl", "show", "--property=User,Type,WatchdogUSec", "sovits").split()
        return f"active; {', '.join(sorted(user))}"

    def exposure(self) -> str:
        lines = self.box.good("systemd-analyze", "security", "--no-pager", "sovits.service").splitlines()
        level = float(lines[-1].split("sovits.service:")[1].split()[0])
        assert level <= 2.5, lines[-1]
        return f"{level}"

    def doctor(self) -> str:
        """The box has no sound card, and its broker is as Debian brings it: found, and nothing else."""
        return self.examined({"audio", "queue limit"})

    def examined(self, wrong: set[str]) -> str:
        found = json.loads(self.box.run("sovits-deploy", "doctor", "--json").stdout)["findings"]
        levels = [one["level"] for one in found]
        errors = [one for one in found if one["level"] == "error"]
        assert {one["check"] for one in errors} == wrong, errors
        assert all(one["remedy"] for one in errors)
        named = f": {', '.join(sorted(wrong))}" if wrong else ""
        return f"{levels.count('ok')} ok, {levels.count('warning')} warnings, {len(errors)} errors{named}"

    def remedies(self) -> str:
        """Do what it said; from here on the daemon plays into nothing."""
        config = self.box.root / "etc/sovits/sovits.toml"
        replace(config, 'type = "alsa"', 'type = "null"')
        limits = re.findall(
            "^max_queued_.*$", (ROOT / "deploy/mosquitto/sovits.conf").read_text("utf-8"), re.M
        )
        assert len(limits) == 2
        (self.box.root / "etc/mosquitto/conf.d/queue.conf").write_text("\n".join(limits) + "\n", "utf-8")
        self.box.good("systemctl", "restart", "mosquitto", "sovits")
        wait_for(self.box, ACTIVE, "active")
        return self.examined(set())

    def speak(self) -> str:
        config = self.box.root / "etc/sovits/sovits.toml"
        replace(config, '# device = "kiosk-3"', 'device = "kiosk-3"')
        self.box.good("systemctl", "restart", "sovits")
        return self.said()

    def said(self) -> str:
        """Have a line spoken."""
        broker = ("--character", "claire", "--device", "kiosk-3", "--broker", "mqtt://127.0.0.1", "--json")
        text = "The doors open in five minutes."
        done = json.loads(self.box.good("sovits-edge", "say", text, *broker).splitlines()[-1])
        assert done["audio_ms"] > 500, done
        return f"finished, {done['audio_ms'] / 1000:.1f} s of sound"

    def freeze(self) -> str:
        before = int(self.box.good(*RESTARTS))
        self.box.good("systemctl", "kill", "--kill-who=main", "--signal=SIGSTOP", "sovits")
        wait_for(self.box, RESTARTS, str(before + 1))
        wait_for(self.box, ACTIVE, "active")
        reason = self.box.run("journalctl", "--no-pager", "--unit=sovits").stdout
        assert "Watchdog timeout (limit 20s)" in reason
        return f"ended by the watchdog, started again; {self.said()}"

    def kill(self) -> str:
        before = int(self.box.good(*RESTARTS))
        self.box.good("systemctl", "kill", "--kill-who=main", "--signal=SIGKILL", "sovits")
        wait_for(self.box, RESTARTS, str(before + 1))
        wait_for(self.box, ACTIVE, "active")
        return f"started again; {self.said()}"

    def bring(self, version: str) -> str:
        shutil.copytree(self.releases[version] / "medium", self.box.root / "root" / version)
        return f"/root/{version}"

    def current(self) -> str:
        status = json.loads(self.box.good("sovits-deploy", "status", "--json"))
        return str(status["software"]["current"]).rpartition("-")[0]

    def update(self) -> str:
        self.box.good("sovits-deploy", "update", self.bring("0.1.1"))
        assert self.current() == "0.1.1"
        return f"{self.current()}; {self.said()}"

    def update_sick(self) -> str:
        done = self.box.run("sovits-deploy", "update", self.bring("0.1.2"))
        assert done.returncode == 2 and "did not become healthy" in done.stderr, done.stderr[-500:]
        wait_for(self.box, ACTIVE, "active")
        assert self.current() == "0.1.1"
        return f"back to {self.current()} by itself; {self.said()}"

    def roll_back(self) -> str:
        self.box.good("sovits-deploy", "rollback")
        assert self.current() == "0.1.0"
        return f"{self.current()}; {self.said()}"

    def reboot(self) -> str:
        self.box.shut_down()
        self.box.boot()
        wait_for(self.box, ACTIVE, "active")
        return f"active without a hand; {self.said()}"

    def purge(self) -> str:
        self.box.good("dpkg", "--purge", "sovits-tiny")
        assert not (self.box.root / "opt/sovits").exists()
        assert (self.box.root / "var/lib/sovits/trust/root.json").exists()
        return "software and content gone, trust store and audit log kept"


def publish(steps: list[dict[str, Any]]) -> None:
    """Write the result, and its table into the document."""
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"machine": machine.describe(), "steps": steps}, indent=1) + "\n", "utf-8")
    rows = [(one["step"], one["seen"], round(one["seconds"])) for one in steps]
    put_table(DOCUMENT, "install", ("step", "seen", "seconds"), rows)


def make_releases(folder: Path) -> dict[str, Path]:
    """Media of three releases of what is committed; packed once."""
    parts = [f"HEAD:{name}" for name in ("edge", "deploy", "quantize", "setup.py", "constraints")]
    trees = subprocess.run(["git", "rev-parse", *parts], cwd=ROOT, check=True, capture_output=True).stdout
    media = folder / f"media-{hashlib.sha256(trees).hexdigest()[:12]}"
    versions = ("0.1.0", "0.1.1", "0.1.2")
    if not media.exists():
        work = media.with_name(f".{media.name}")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        studio = Studio(work)
        studio.make_keys()
        for before, version in zip(("", *versions), versions, strict=False):
            studio.pack(version, before, sick=version == versions[-1])
        work.rename(media)
    return {version: media / version for version in versions}


def main(folder: Path) -> None:
    """Run everything."""
    folder.mkdir(parents=True, exist_ok=True)
    make_base(folder / "debian12-amd64")
    work = folder / "run"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    releases = make_releases(folder)
    box = Box(folder / "debian12-amd64", work / "box")
    box.boot()
    check = Check(box, releases)
    try:
        check.run()
    finally:
        box.shut_down()
    publish(check.steps)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
