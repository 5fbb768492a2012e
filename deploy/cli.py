"""``sovits-deploy``: from the studio's keys to a speaking device."""

from __future__ import annotations

import click

from edge.cli.command import GROUP_SETTINGS, Command, group_options
from edge.errors import EdgeError

from .audio_command import verify_audio
from .certificates_command import certificates
from .device_commands import doctor, import_documents, install, rollback, status, update
from .fleet_command import fleet
from .purge_command import purge
from .studio_commands import keys, pack_command, revoke, sign, verify

STUDIO = [keys, sign, revoke, verify, pack_command, fleet, verify_audio, certificates]
DEVICE = [install, update, import_documents, purge, rollback, status, doctor]


@click.group(commands=[*STUDIO, *DEVICE], context_settings=GROUP_SETTINGS)
@group_options
def cli() -> None:
    """Pack, sign, install, update and look after devices.

    \b
    On the studio's workstation:  keys, sign, revoke, verify, pack, fleet, verify-audio,
                                  certificates
    On a device:                  install, update, import, purge, rollback, status, doctor

    Errors are one line on standard error, and the exit status is then 2.
    """


main = Command(cli, "sovits-deploy", errors=(EdgeError, OSError))
