"""Two boxes with systemd and SSH servers of their own, by Ansible: python -m tests.deploy.check_fleet FOLDER.

As root, with debootstrap, systemd-nspawn, iproute2, an SSH client and ansible-core. FOLDER keeps the bare
root and the media between runs, as that of ``check_install``. Each box has an address on a wire of its own
and a user who may do everything, as the example inventory asks for. Writes ``benchmarks/results/install``
and the table of the document.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import machine
from edge.bundle.bundle import Bundle, workshop
from tests.deploy.check_install import ACTIVE, ROOT, Studio, make_releases
from tests.deploy.nspawn import Box, make_base, wait_for
from tests.deploy.published import put_table
from tests.deploy.ssh import make_key

RESULT = ROOT / "benchmarks/results/install/fleet-debian12-amd64.json"
DOCUMENT = ROOT / "docs/deploy-a-device.md"
NAMES = ("kiosk-1", "kiosk-2")
USER = "integrator"
CONFIG = """device = "{{ inventory_hostname }}"
state_dir = "/var/lib/sovits"
[sink]
type = "null"
[label]
profile = "us-ca"
producer = "studio-9"
"""


@contextmanager
def wire(number: int, name: str) -> Iterator[str]:
    """A network namespace joined to this machine by a wire; gives its path."""
    here, there = f"10.177.{number}.1/30", f"10.177.{number}.2/30"
    ip("netns", "add", name)
    try:
        ip("link", "add", f"sovits{number}", "type", "veth", "peer", "name", "host0", "netns", name)
        ip("addr", "add", here, "dev", f"sovits{number}")
        ip("link", "set", f"sovits{number}", "up")
        ip("-n", name, "addr", "add", there, "dev", "host0")
        ip("-n", name, "link", "set", "host0", "up")
        ip("-n", name, "link", "set", "lo", "up")
        yield f"/run/netns/{name}"
    finally:
        ip("netns", "del", name)


def ip(*arguments: str) -> None:
    """Run the command of iproute2."""
    subprocess.run(["ip", *arguments], check=True, timeout=30)


def let_in(box: Box, public_key: Path) -> str:
    """Give a box its user; returns the public key of its SSH server."""
    root = box.root
    subprocess.run(["useradd", f"--root={root}", "--create-home", "--shell=/bin/sh", USER], check=True)
    (root / "etc/sudoers.d/integrator").write_text(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
    folder = root / f"home/{USER}/.ssh"
    folder.mkdir()
    shutil.copy(public_key, folder / "authorized_keys")
    subprocess.run(["chroot", str(root), "chown", "-R", f"{USER}:{USER}", f"/home/{USER}"], check=True)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    make_key(root / "etc/ssh/ssh_host_ed25519_key")
    return (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text()


class FleetCheck:
    """The steps, each with what was seen.

    Args:
        boxes: running.
        work: inventory and keys lie here.
        releases: folders of packed media by version.
    """

    def __init__(self, boxes: dict[str, Box], work: Path, releases: dict[str, Path]) -> None:
        self.boxes = boxes
        self.work = work
        self.releases = releases
        self.steps: list[dict[str, Any]] = []

    def run(self) -> None:
        """Do all of it."""
        for what, do in (
            ("`fleet install`, one box and then the other", self.install),
            ("`fleet status`", self.status),
            ("`fleet update --dry-run`", self.rehearse),
            ("`fleet update` to a newer release", self.update),
            ("`fleet update` to a release whose daemon does not start", self.update_sick),
            ("`fleet rollback`", self.roll_back),
            ("`fleet revoke` of the voice", self.revoke),
        ):
            began = time.monotonic()
            seen = do()
            self.steps.append({"step": what, "seen": seen, "seconds": round(time.monotonic() - began, 1)})
            sys.stderr.write(f"{what}: {seen}\n")

    def fleet(self, action: str, *options: str, status: int = 0) -> tuple[dict[str, Any], str]:
        """Run the command; gives what each box said, and the last line of the errors."""
        command = [sys.executable, "-m", "deploy", "fleet", action, "-i", str(self.work / "hosts.json")]
        done = subprocess.run([*command, *options, "--json"], cwd=ROOT, capture_output=True, text=True)
        (self.work / "fleet.log").open("a").write(done.stderr)
        assert done.returncode == status, done.stderr[-2000:]
        boxes = json.loads(done.stdout.splitlines()[-1])["boxes"]
        return {one["host"]: one for one in boxes}, done.stderr.splitlines()[-1] if done.stderr else ""

    def versions(self) -> list[str]:
        """Software of each box, as the fleet says."""
        said, _ = self.fleet("status")
        return [str(said[name]["result"]["software"]["current"]).rpartition("-")[0] for name in NAMES]

    def each(self, do: Callable[[str, Box], str]) -> str:
        """Ask every box; they have to agree."""
        found = {do(name, box) for name, box in self.boxes.items()}
        assert len(found) == 1, found
        return found.pop()

    def said(self, name: str, box: Box) -> str:
        """Have a line spoken."""
        broker = ("--character", "claire", "--device", name, "--broker", "mqtt://127.0.0.1", "--json")
        wait_for(box, ACTIVE, "active")
        done = json.loads(box.good("sovits-edge", "say", "The doors open.", *broker).splitlines()[-1])
        assert done["audio_ms"] > 300, done
        return f"a line of {done['audio_ms'] / 1000:.1f} s spoken on each"

    def install(self) -> str:
        said, _ = self.fleet("install", "--waves", "1,100%")
        assert all(one["ok"] for one in said.values()), said
        return f"{', '.join(self.versions())}; {self.each(self.said)}"

    def status(self) -> str:
        said, _ = self.fleet("status")
        lists = {one["result"]["trust"]["revocations"] for one in said.values()}
        return f"{', '.join(self.versions())}; revocation list {lists.pop()}"

    def rehearse(self) -> str:
        said, _ = self.fleet("update", "--medium", self.medium("0.1.1"), "--dry-run")
        notes = {note for one in said.values() for note in one["result"]["notes"]}
        assert self.versions() == ["0.1.0"] * 2
        return f"{'; '.join(sorted(notes))}; nothing changed"

    def update(self) -> str:
        self.fleet("update", "--medium", self.medium("0.1.1"), "--waves", "1,100%")
        assert self.versions() == ["0.1.1"] * 2
        return f"0.1.1, 0.1.1; {self.each(self.said)}"

    def update_sick(self) -> str:
        said, error = self.fleet("update", "--medium", self.medium("0.1.2"), "--waves", "1,100%", status=2)
        assert list(said) == [NAMES[0]] and "1 of 1 boxes failed" in error, (said, error)
        assert "did not become healthy" in said[NAMES[0]]["error"], said
        assert self.versions() == ["0.1.1"] * 2
        return f"the first box went back by itself, the second was not tried; {self.each(self.said)}"

    def roll_back(self) -> str:
        self.fleet("rollback", "--only", "software")
        assert self.versions() == ["0.1.0"] * 2
        return f"0.1.0, 0.1.0; {self.each(self.said)}"

    def revoke(self) -> str:
        documents = self.work / "documents"
        shutil.copytree(self.releases["0.1.1"] / "medium", documents, ignore=shutil.ignore_patterns("*.tar"))
        packed = self.releases["0.1.1"].with_name("source-0.1.1") / "edge/voices/builtin"
        voice = f"sha256:{Bundle.load(packed, gate=workshop).manifest_sha256}"
        what = ("--kind", "bundle", "--id", voice, "--action", "refuse_and_purge")
        studio = Studio(self.releases["0.1.1"].parent)
        key = str(studio.folder / "revocation.pem")
        studio.deploy("revoke", "--list", str(documents / "revocations.json"), *what, "--key", key)
        self.fleet("revoke", "--medium", str(documents))
        return self.each(self.silent)

    def silent(self, name: str, box: Box) -> str:
        """Ask for a line, which is refused."""
        say = ("sovits-edge", "say", "The doors open.", "--device", name, "--character", "claire")
        done = box.run(*say, "--broker", "mqtt://127.0.0.1")
        assert done.returncode == 2 and "revoked" in done.stderr, done.stderr
        return "every line is refused on each: voice_revoked"

    def medium(self, version: str) -> str:
        return str(self.releases[version] / "medium")


def write_inventory(work: Path, package: Path) -> None:
    """Both boxes, reached as the document says."""
    options = f"-F none -o UserKnownHostsFile={work}/known_hosts -o StrictHostKeyChecking=yes"
    common = {
        "ansible_user": USER,
        "ansible_ssh_private_key_file": str(work / "client"),
        "ansible_ssh_common_args": options,
        "sovits_package": str(package),
        "sovits_config": str(work / "sovits.toml.j2"),
        "sovits_install": ["dpkg", "-i"],
    }
    hosts = {name: {"ansible_host": f"10.177.{number}.2"} for number, name in enumerate(NAMES, 1)}
    (work / "hosts.json").write_text(json.dumps({"sovits": {"hosts": hosts, "vars": common}}))
    (work / "sovits.toml.j2").write_text(CONFIG)


def publish(steps: list[dict[str, Any]]) -> None:
    """Write the result, and its table into the document."""
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({"machine": machine.describe(), "steps": steps}, indent=1) + "\n", "utf-8")
    rows = [(one["step"], one["seen"], round(one["seconds"])) for one in steps]
    put_table(DOCUMENT, "fleet", ("step", "seen", "seconds"), rows)


def main(folder: Path) -> None:
    """Run everything."""
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / "debian12-amd64-ssh"
    make_base(base, more=("openssh-server", "sudo"))
    work = folder / "fleet"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    releases = make_releases(folder)
    make_key(work / "client")
    write_inventory(work, *releases["0.1.0"].glob("*.deb"))
    with wire(1, NAMES[0]) as first, wire(2, NAMES[1]) as second:
        boxes = {
            name: Box(base, work / name, f"sovits-{name}", network)
            for name, network in zip(NAMES, (first, second), strict=True)
        }
        keys = [let_in(box, work / "client.pub") for box in boxes.values()]
        known = [f"10.177.{number}.2 {key}" for number, key in enumerate(keys, 1)]
        (work / "known_hosts").write_text("".join(known))
        check = FleetCheck(boxes, work, releases)
        try:
            for box in boxes.values():
                box.boot()
            check.run()
        finally:
            for box in boxes.values():
                box.shut_down()
    publish(check.steps)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
