"""The ``sovits-edge`` command: its parts, and what becomes of an error at its edge.

Starting it must cost little, so every module of the command line imports only click and the standard library
at its top; numpy, ONNX Runtime and the dictionaries come with the first line that needs them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from ..errors import EdgeError
from .say import say
from .serve import serve
from .text import phonemes, voices

BROKEN_PIPE_STATUS = 141  # what a shell reports for a program that SIGPIPE ended
INTERRUPTED_STATUS = 130


def _version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib import metadata

    try:
        click.echo(f"sovits-tiny {metadata.version('sovits-tiny')}")
    except metadata.PackageNotFoundError:
        click.echo("sovits-tiny, run from a checkout that is not installed")
    context.exit()


@click.group(
    commands=[say, serve, voices, phonemes],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Speak with a distilled character voice: on the command line, or as a daemon behind MQTT.

    \b
    Examples:
      sovits-edge say "你好，世界。" -o hello.wav
      sovits-edge say "Doors open in five minutes." --character claire -o - | aplay
      sovits-edge serve --broker mqtt://localhost:1883 --sink alsa

    Every command explains itself: sovits-edge COMMAND --help. Errors are one line on standard error, and the
    exit status is then 2.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its status.

    Args:
        arguments: in place of those of the process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        # Not cli.main(): it would answer a broken pipe with status 1.
        with cli.make_context("sovits-edge", given) as context:
            cli.invoke(context)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "sovits-edge"
        _fail(f"{error.format_message().rstrip('.')}; see {command} --help")
    except (EdgeError, click.ClickException) as error:
        _fail(error.format_message() if isinstance(error, click.ClickException) else str(error))
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED_STATUS)
    except BrokenPipeError:
        # The reader has gone. Python would complain once more when it flushes standard output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE_STATUS)


def _fail(message: str) -> None:
    click.echo("sovits-edge: " + " ".join(message.split()), err=True)
    sys.exit(2)
