"""Command ``purge``: delete what is revoked."""

from __future__ import annotations

from pathlib import Path

import click

from edge.bundle.audit import AuditLog
from edge.permission import gate_of

from .console import Console, speaks
from .device_commands import device_config, open_store, root_option
from .paths import Paths
from .purge import purge as purge_voices
from .purge import revoked_voices
from .slot import Slot


@click.command(short_help="Delete voices that the list in force revokes.")
@root_option
@speaks
def purge(console: Console, prefix: Path) -> None:
    """Delete the voices of every release that the revocation list in force ends.

    The unit sovits-purge does this whenever a list comes; the daemon has fallen silent before.
    """
    paths = Paths(prefix)
    store, site, content = open_store(paths), gate_of(device_config(paths)).site, Slot(paths.content)
    if console.dry_run:
        named = [path for ending in revoked_voices(content, store, site) for path in ending.delete]
    else:
        audit = AuditLog(paths.deploy_state / "audit.jsonl")
        named = purge_voices(content, store, site, paths.deploy_state, audit)
    done = "would delete" if console.dry_run else "deleted"
    lines = [f"{done} {path}" for path in named]
    console.result({"deleted": [str(path) for path in named]}, "\n".join(lines) or "nothing is revoked")
