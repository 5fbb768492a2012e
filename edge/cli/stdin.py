"""Text for a command: an argument, or standard input."""

from __future__ import annotations

import sys

import click


def text_or_stdin(text: str | None) -> str:
    """Give the text to work on.

    Args:
        text: the argument; ``-``, or None with something other than a keyboard on standard input, reads that.

    Raises:
        click.UsageError: neither an argument nor a pipe.
        click.ClickException: standard input is not UTF-8.
    """
    if text is None and sys.stdin.isatty():
        raise click.UsageError("no text: give it as an argument, or pipe it in")
    if text not in (None, "-"):
        return str(text)
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise click.ClickException(
            f"standard input is not UTF-8 (byte {error.start}); convert it with iconv -t UTF-8"
        ) from error
