"""Command that looks for the marks of synthesised speech in a sound file."""

from __future__ import annotations

from pathlib import Path

import click

from .audio_check import check_audio
from .console import Console, speaks


@click.command("verify-audio", short_help="Look for the marks of synthesised speech in a sound file.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--credentials-root",
    type=click.Path(path_type=Path),
    help="Certificates that are believed, PEM: signed credentials that lead to one are Trusted, else Valid.",
)
@speaks
def verify_audio(console: Console, path: Path, credentials_root: Path | None) -> None:
    """Say what a sound file tells of its origin: inaudible mark, label in the file, signed credentials.

    A mark that is not found proves nothing: it can be removed on purpose, and short or badly distorted clips
    lose it.
    """
    found = check_audio(path, credentials_root)
    console.result(found.to_dict(), "\n".join(found.lines()))
