"""The ``sovits-edge`` command and its parts.

Starting it must cost little, so every module of the command line imports only click and the standard library
at its top; numpy, ONNX Runtime and the dictionaries come with the first line that needs them.
"""

from __future__ import annotations

import click

from .command import GROUP_SETTINGS, Command, group_options
from .doctor import doctor
from .say import say
from .serve import serve
from .text import phonemes, voices


@click.group(commands=[say, serve, voices, phonemes, doctor], context_settings=GROUP_SETTINGS)
@group_options
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


main = Command(cli, "sovits-edge")
