"""Command ``fleet``: one action on many boxes, done by Ansible, in waves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click

from .console import Console, speaks
from .errors import DeployError

ROLE = Path(__file__).parent / "ansible"
ACTIONS = ("install", "status", "update", "revoke", "rollback")
EVERYBODY = "100%"
STDERR = 2  # file descriptor
Part = Literal["software", "content"]
_path = click.Path(path_type=Path)


@click.command(short_help="Do something on many boxes, in waves, by Ansible.")
@click.argument("action", type=click.Choice(ACTIONS))
@click.option(
    "-i", "--inventory", type=_path, required=True, help=f"Boxes; {ROLE}/inventory.example.yml is an example."
)
@click.option("--medium", help="Folder here, or an address that the boxes reach (update, revoke).")
@click.option("--only", type=click.Choice(["software", "content"]), help="One part alone (update, rollback).")
@click.option("--force", is_flag=True, help="Go back to an older software; logged on each box (update).")
@click.option("--limit", help="Some of the boxes, such as lobby or kiosk-1.")
@click.option(
    "--waves",
    default="",
    help="Sizes of the waves, such as 1,25%,100%.  [default: that; status, revoke: all]",
)
@speaks
def fleet(
    console: Console,
    action: str,
    inventory: Path,
    medium: str | None,
    only: Part | None,
    force: bool,
    limit: str | None,
    waves: str,
) -> None:
    """Do ACTION on the boxes of an inventory: install, status, update, revoke or rollback.

    A wave in which a box fails is the last one; the boxes after it stay as they are. What each box is told
    to do is in the role beside this command, which a playbook of your own can use as well.
    """
    playbook = _playbook()
    with tempfile.TemporaryDirectory() as folder:
        values: dict[str, Any] = {
            "sovits_action": action,
            "sovits_dry_run": console.dry_run,
            "sovits_report": folder,
            "sovits_waves": _waves(action, waves),
        }
        values |= {"sovits_medium": _place(medium)} if medium else {}
        values |= {"sovits_part": only} if only else {}
        values |= {"sovits_force": True} if force else {}
        command = [playbook, "-i", str(inventory), str(ROLE / "fleet.yml"), "-e", json.dumps(values)]
        status = _play([*command, *(["--limit", limit] if limit else [])])
        reports = [json.loads(path.read_bytes()) for path in sorted(Path(folder).glob("*.json"))]
    _tell(console, action, reports)
    if status:
        count = sum(not one["ok"] for one in reports)
        if not count:
            raise DeployError(f"{action}: Ansible gave up before a box was asked; it says why above")
        raise DeployError(
            f"{action}: {count} of {len(reports)} boxes failed; the boxes after them were not tried"
        )


def _playbook() -> str:
    """The command of Ansible, beside this Python or on the path."""
    own = str(Path(sys.executable).parent)
    found = shutil.which("ansible-playbook", path=f"{own}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise DeployError(
            "ansible-playbook is not installed: pip install ansible-core, or apt install ansible-core"
        )
    return found


def _waves(action: str, waves: str) -> list[str | int]:
    """Waves of an action; a voice is revoked everywhere at once, and asking harms nobody."""
    if not waves:
        return [EVERYBODY] if action in ("status", "revoke") else [1, "25%", EVERYBODY]
    sizes: list[str | int] = []
    for size in waves.split(","):
        number = size.strip().removesuffix("%")
        if not number.isdecimal() or not int(number):
            raise click.UsageError(f"--waves: {size!r} is neither a number nor a share; write 1,25%,100%")
        sizes.append(int(number) if number == size.strip() else size.strip())
    return sizes


def _place(medium: str) -> str:
    return medium if "://" in medium else str(Path(medium).resolve())


def _play(command: Sequence[str]) -> int:
    """Run Ansible; what it says is progress."""
    environment = {
        **os.environ,
        "ANSIBLE_ROLES_PATH": str(ROLE / "roles"),
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
    }
    environment.setdefault("ANSIBLE_PIPELINING", "true")  # a third of the trips over SSH
    # It needs a locale of UTF-8, which a plain environment lacks.
    environment.setdefault("LC_ALL", "C.UTF-8")
    return subprocess.run(command, stdout=STDERR, env=environment, check=False).returncode


def _tell(console: Console, action: str, reports: list[dict[str, Any]]) -> None:
    lines = [f"{one['host']}: {_line(one)}" for one in reports]
    values = {"action": action, "boxes": reports}
    console.result(values, "\n".join(lines) or "no box has answered")


def _line(report: dict[str, Any]) -> str:
    if not report["ok"]:
        return f"failed: {report['error']}"
    result = {key: value for key, value in report["result"].items() if key != "dry_run"}
    return json.dumps(result)
