"""What a command says: progress on standard error, the result on standard output, as text or JSON."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass
class Console:
    """Where a command talks to."""

    as_json: bool
    """The result is one JSON object."""
    dry_run: bool
    """Nothing is changed."""
    _shown: str = ""

    def step(self, text: str) -> None:
        """Say what begins now."""
        click.echo(f"{text} ...", err=True)

    def progress(self, name: str, done: int, total: int) -> None:
        """Say how far a file is, on a terminal alone, once for each percent."""
        text = f"\r\x1b[K{name} {100 * done // max(total, 1)} %"
        if text != self._shown and sys.stderr.isatty():
            click.echo(text, err=True, nl=done >= total)
        self._shown = text

    def result(self, values: Mapping[str, Any], text: str) -> None:
        """Give the result."""
        prefix = "dry run: " if self.dry_run else ""
        click.echo(json.dumps({**values, "dry_run": self.dry_run}) if self.as_json else prefix + text)


def speaks(function: _Function) -> _Function:
    """Add ``--json`` and ``--dry-run``, and hand the command a :class:`Console` first."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @click.option("--dry-run", is_flag=True, help="Say what would be done and change nothing.")
    @functools.wraps(function)
    def command(*args: Any, as_json: bool, dry_run: bool, **kwargs: Any) -> Any:
        return function(Console(as_json, dry_run), *args, **kwargs)

    return command  # type: ignore[return-value]
