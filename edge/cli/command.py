"""The frame of a command: version, shell completion, and one line in place of a traceback.

Every command of the distribution runs inside it. It imports only click and the standard library, so that it
costs nothing and can tell which library is missing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete, shell_complete

from ..errors import EdgeError

DISTRIBUTION = "sovits-tiny"
GROUP_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
ERROR_STATUS = 2
INTERRUPTED_STATUS = 130
BROKEN_PIPE_STATUS = 141  # what a shell reports for a program that SIGPIPE ended
_COMPLETIONS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete,
    "fish": FishComplete,
    "zsh": ZshComplete,
}


def _show_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib import metadata

    try:
        click.echo(f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}")
    except metadata.PackageNotFoundError:
        click.echo(f"{DISTRIBUTION}, run from a checkout that is not installed")
    context.exit()


def _show_completion(context: click.Context, _option: click.Parameter, shell: str | None) -> None:
    if shell is None or context.resilient_parsing:
        return
    name = context.info_name or ""
    click.echo(_COMPLETIONS[shell](context.command, {}, name, _variable(name)).source())
    context.exit()


def _variable(name: str) -> str:
    """Environment variable by which a shell asks a command for completions."""
    return f"_{name.replace('-', '_').upper()}_COMPLETE"


def group_options(function: Callable[[], None]) -> Callable[[], None]:
    """Add the options that every command of the distribution has."""
    version = click.option(
        "--version",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_show_version,
        help="Show the version and exit.",
    )
    completion = click.option(
        "--completion",
        type=click.Choice(sorted(_COMPLETIONS)),
        expose_value=False,
        is_eager=True,
        callback=_show_completion,
        help='Print what makes the Tab key complete: eval "$(COMMAND --completion bash)".',
    )
    return version(completion(function))


@dataclass(frozen=True)
class Command:
    """A command of the distribution.

    Called without arguments it is the entry point of its script.
    """

    group: click.Group
    """What it does."""
    name: str
    """Of the script, as people type it."""
    extra: str = ""
    """Extra of the distribution that it needs; empty for none."""
    errors: tuple[type[Exception], ...] = (EdgeError,)
    """Errors whose message is for the user; any other is a fault of ours and keeps its traceback."""
    interrupted: str = ""
    """What to say after Ctrl-C."""

    def __call__(self, arguments: Sequence[str] | None = None) -> None:
        """Run the command; return when all is well, else exit with its status.

        Args:
            arguments: in place of those of the process.
        """
        self._complete()
        told: tuple[type[Exception], ...] = (click.ClickException, ModuleNotFoundError, *self.errors)
        try:
            # Not group.main(): it would answer a broken pipe with status 1.
            given = sys.argv[1:] if arguments is None else list(arguments)
            with self.group.make_context(self.name, given) as context:
                self.group.invoke(context)
        except click.exceptions.Exit as done:
            sys.exit(done.exit_code)
        except (click.Abort, KeyboardInterrupt):
            self._end(self.interrupted, INTERRUPTED_STATUS)
        except BrokenPipeError:
            # The reader has gone. Python would complain once more when it flushes standard output at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(BROKEN_PIPE_STATUS)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            sys.exit(ERROR_STATUS)
        except told as error:
            self._end(self._line(error), ERROR_STATUS)

    def _complete(self) -> None:
        variable = _variable(self.name)
        if instruction := os.environ.get(variable):
            sys.exit(shell_complete(self.group, {}, self.name, variable, instruction))

    def _line(self, error: Exception) -> str:
        if isinstance(error, click.UsageError):
            path = error.ctx.command_path if error.ctx else self.name
            return f"{error.format_message().rstrip('.')}; see {path} --help"
        if isinstance(error, click.ClickException):
            return error.format_message()
        if isinstance(error, ModuleNotFoundError):
            extra = f"[{self.extra}]" if self.extra else ""
            return f"{error.name} is not installed; install it with: pip install '{DISTRIBUTION}{extra}'"
        return str(error)

    def _end(self, message: str, status: int) -> NoReturn:
        if message:
            click.echo(f"{self.name}: " + " ".join(message.split()), err=True)
        sys.exit(status)
