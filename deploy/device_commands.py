"""Commands of a device: install, update, import, rollback, status, doctor."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from edge.bundle.audit import AuditLog
from edge.bundle.trust.store import TrustStore
from edge.config import EdgeConfig, load_config
from edge.durable import write_whole
from edge.permission import gate_of, trust_directory

from .console import Console, speaks
from .devices import detect, read_facts
from .doctor import Doctor, worst
from .environment import VenvBuilder
from .errors import DeployError
from .medium import open_medium
from .paths import UNIT, Paths
from .purge import purge, revoked_voices
from .service import SystemdService
from .slot import Slot
from .update import Device, Part, Report, Service, Update, take_documents

root_option = click.option(
    "--root",
    "prefix",
    type=click.Path(path_type=Path),
    default=Path("/"),
    help="Another root than /, for images.",
)
_no_start = click.option(
    "--no-start", is_flag=True, help="Do not start the unit: in an image, or without systemd."
)
DROP_IN = Path("etc/systemd/system/sovits.service.d/device.conf")


class _NoService:
    """Nothing is started: the new release is kept once it has spoken its golden line in a child."""

    def is_speaking(self) -> bool:
        """Nothing runs, nothing speaks."""
        return False

    def restart(self) -> None:
        """Nothing is started."""

    def is_healthy(self) -> bool:
        """The golden line was spoken before."""
        return True


def device_config(paths: Paths) -> EdgeConfig:
    """Read the configuration of the daemon; its state is that of this root.

    Raises:
        ConfigError: a key or a value is wrong.
    """
    return load_config(paths.config if paths.config.exists() else None, {"state_dir": str(paths.state)})


def open_store(paths: Paths) -> TrustStore:
    """Open the trust store of the device.

    Raises:
        EdgeError: the configuration or the store is damaged.
    """
    config = device_config(paths)
    return TrustStore(trust_directory(config), config.trust.copy_directory)


def open_device(prefix: Path, start: bool = True, platform: str = "") -> Device:
    """Open the device below a root.

    Raises:
        DeployError: no wheelhouse is packed for this box.
        EdgeError: its configuration or its trust store is damaged.
    """
    paths = Paths(prefix)
    profile = detect(read_facts())
    store = open_store(paths)
    service: Service = SystemdService(paths.config) if start else _NoService()
    return Device(
        software=Slot(paths.software),
        content=Slot(paths.content),
        store=store,
        spool=paths.deploy_state / "spool",
        platform=platform or profile.target,
        builder=VenvBuilder(profile.system_packages, _system_python(), store.directory, paths.config),
        service=service,
        audit=AuditLog(paths.deploy_state / "audit.jsonl"),
    )


def _system_python() -> str:
    """The system's Python, not that of the release that runs this."""
    found = shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin")
    return found or str(Path(sys.base_prefix) / "bin" / "python3")


def _say(console: Console, report: Report) -> None:
    changed = ", ".join(report.changed) or "nothing"
    text = f"changed: {changed}; software {report.software or 'none'}, content {report.content or 'none'}"
    console.result(asdict(report), "\n".join([*report.notes, text]))


_platform = click.option("--platform", default="", help="Wheelhouse to take; that of this box if absent.")


@click.command(short_help="Install from a medium on a fresh box.")
@click.argument("medium")
@_platform
@root_option
@_no_start
@speaks
def install(console: Console, medium: str, prefix: Path, no_start: bool, platform: str) -> None:
    """Install from MEDIUM, a folder, a tar or an http address, and start the unit.

    The first key list that a box sees is taken on trust: it comes with the package or the stick.
    """
    device = open_device(prefix, not no_start, platform)
    if not console.dry_run:
        _link_drop_in(prefix)
    update = Update(device, open_medium(medium), progress=console.progress, step=console.step)
    _say(console, update.run(dry_run=console.dry_run))


def _link_drop_in(prefix: Path) -> None:
    """Put the drop-in of this kind of device in its place, where the package has brought it."""
    source = prefix / "usr/share/sovits/drop-ins" / detect(read_facts()).drop_in
    if source.exists():
        write_whole(prefix / DROP_IN, source.read_bytes(), 0o644)


@click.command(short_help="Update from a medium, and go back if the new release is not healthy.")
@click.argument("medium")
@click.option("--only", type=click.Choice(["software", "content"]), help="One part alone.")
@click.option("--force", is_flag=True, help="Go back to an older software; logged.")
@_platform
@root_option
@_no_start
@speaks
def update(
    console: Console, medium: str, only: Part | None, force: bool, prefix: Path, no_start: bool, platform: str
) -> None:
    """Update from MEDIUM, a folder, a tar or an http address; a download goes on where it was cut.

    The new release is put together beside the one in use, has to speak its golden line, and is switched to
    when nothing is being spoken. If it is not healthy, the box goes back by itself.
    """
    device = open_device(prefix, not no_start, platform)
    parts: tuple[Part, ...] = (only,) if only else ("software", "content")
    job = Update(
        device, open_medium(medium), allow_downgrade=force, progress=console.progress, step=console.step
    )
    _say(console, job.run(parts, dry_run=console.dry_run))


@click.command("import", short_help="Take in keys and revocations from a medium.")
@click.argument("medium", required=False)
@click.option(
    "--reset-trust", is_flag=True, help="Forget what was seen; for a store that cannot be verified."
)
@root_option
@speaks
def import_documents(console: Console, medium: str | None, reset_trust: bool, prefix: Path) -> None:
    """Take in keys and revocations from MEDIUM, and delete what is revoked; change nothing else."""
    paths = Paths(prefix)
    audit = AuditLog(paths.deploy_state / "audit.jsonl")
    if reset_trust:
        _reset_trust(console, paths, audit)
    if medium is None:
        if not reset_trust:
            raise click.UsageError("name a medium, or give --reset-trust")
        return
    store, content, site = open_store(paths), Slot(paths.content), gate_of(device_config(paths)).site
    with tempfile.TemporaryDirectory() as folder:
        if console.dry_run:
            store, audit = store.rehearsal(Path(folder)), AuditLog(Path(folder) / "audit.jsonl")
        notes = take_documents(store, open_medium(medium), audit)
        if console.dry_run:
            gone = [path for ending in revoked_voices(content, store, site) for path in ending.delete]
        else:
            gone = purge(content, store, site, paths.deploy_state, audit)
    notes += [f"{'delete' if console.dry_run else 'deleted'} {path}" for path in gone]
    values = {"root": store.seen.root, "revocations": store.seen.revocations, "notes": notes}
    console.result(values, "\n".join(notes) or "nothing new")


def _reset_trust(console: Console, paths: Paths, audit: AuditLog) -> None:
    config = device_config(paths)
    folders = {trust_directory(config), config.trust.copy_directory or trust_directory(config)}
    if not console.dry_run:
        audit.write("trust_reset", by=str(os.getuid()))
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    console.result({"reset": sorted(map(str, folders))}, "what was seen is forgotten")


@click.command(short_help="Go back to the release before.")
@click.option("--only", type=click.Choice(["software", "content"]), default="software", show_default=True)
@root_option
@_no_start
@speaks
def rollback(console: Console, only: Part, prefix: Path, no_start: bool) -> None:
    """Go back to the release before, and start it."""
    paths = Paths(prefix)
    slot = Slot(paths.software if only == "software" else paths.content)
    trial = slot.trial()
    target = trial.before if trial else slot.previous()
    if console.dry_run:
        console.result({"release": target}, f"would go back to {target or 'nothing'}")
        return
    name = slot.roll_back()
    AuditLog(paths.deploy_state / "audit.jsonl").write("rolled_back", part=only, release=name, by="hand")
    if not no_start:
        SystemdService(paths.config).restart()
    console.result({"release": name}, f"{only}: {name}")


@click.command(short_help="Say what is installed.")
@root_option
@speaks
def status(console: Console, prefix: Path) -> None:
    """Say what is installed, what is on trial, and which documents are in force."""
    paths = Paths(prefix)
    store = open_store(paths)
    slots = {"software": Slot(paths.software), "content": Slot(paths.content)}
    values = {
        name: {"current": slot.current(), "previous": slot.previous(), "on_trial": slot.trial() is not None}
        for name, slot in slots.items()
    }
    age = store.freshness()
    trust = {**asdict(store.seen), "stale": age.stale, "faults": store.faults}
    lines = [f"{name}: {entry['current'] or 'none'}" for name, entry in values.items()]
    lines.append(f"keys {store.seen.root}, revocation list {age.seq}{' (old)' if age.stale else ''}")
    console.result({**values, "trust": trust, "unit": UNIT}, "\n".join(lines))


@click.command(short_help="Check the box; each fault names its remedy.")
@click.option("--install", "install_only", is_flag=True, help="Only what has to pass before the first start.")
@root_option
@speaks
def doctor(console: Console, install_only: bool, prefix: Path) -> None:
    """Check the box; exit status 2 when something keeps it from speaking."""
    findings = Doctor(Paths(prefix)).look(install=install_only)
    values = {"findings": [asdict(one) for one in findings], "worst": worst(findings)}
    console.result(values, "\n".join(one.line() for one in findings))
    if worst(findings) == "error":
        count = sum(one.level == "error" for one in findings)
        raise DeployError(f"{count} of {len(findings)} checks are errors; each line above names its remedy")
