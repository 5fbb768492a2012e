"""Command that makes the certificates of a venue."""

from __future__ import annotations

from pathlib import Path

import click

from .certificates import AUTHORITY, BROKER, LEAF_DAYS, Authority
from .console import Console, speaks


@click.command(short_help="Make certificates for the broker and its clients.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--broker", "hosts", multiple=True, help="Name or address by which the broker is reached.")
@click.option("--client", "clients", multiple=True, help="Device or program; its user name at the broker.")
@click.option("--days", default=LEAF_DAYS, show_default=True, help="How long they are valid.")
@speaks
def certificates(
    console: Console, folder: Path, hosts: tuple[str, ...], clients: tuple[str, ...], days: int
) -> None:
    """Make what is missing in FOLDER: an authority, and certificates signed by it.

    FOLDER holds the authority's key and stays on the workstation. The broker gets ca.crt, broker.crt and
    broker.key; a device ca.crt and the two files of its name. docs/broker.md has the rest.

    \b
    Example:
      sovits-deploy certificates venue-ca --broker 10.0.0.2 --client kiosk-3 --client show
    """
    wanted = [AUTHORITY, *([BROKER] if hosts else []), *clients]
    missing = [name for name in wanted if not (folder / f"{name}.crt").exists()]
    if not console.dry_run:
        authority = Authority(folder)
        for name in missing:
            if name == BROKER:
                authority.issue_broker(hosts, days)
            elif name != AUTHORITY:
                authority.issue_client(name, days)
    made = [str(folder / f"{name}.crt") for name in missing]
    console.result({"made": made}, "\n".join(made) or "nothing was missing")
