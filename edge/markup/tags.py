"""What inline tags are: an emotion, a pause or a mark at a place in the plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .. import spec
from ..errors import TextError

TagKind = Literal["emotion", "pause", "mark"]

MAX_PAUSE_MS = 10_000
NAME = re.compile(spec.NAME)
OPENING, CLOSING = "[［", "]］"
KNOWN_TAGS = "[emotion:name], [pause:400ms], [pause:1.2s], [mark:name]"
_PAUSE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?(ms|s)")


@dataclass(frozen=True)
class Tag:
    """One tag."""

    kind: TagKind
    """``emotion``, ``pause`` or ``mark``."""
    value: str | int
    """Name of the emotion or mark, or the length of the pause in ms."""
    position: int
    """Index in the plain text of the character that follows the tag."""
    is_hint: bool = False
    """A stage direction that may be acted: an emotion that the character lacks is left out without a warning.
    """


@dataclass(frozen=True)
class Markup:
    """A line without its tags."""

    plain: str
    """What is read."""
    tags: tuple[Tag, ...]
    """In order."""
    warnings: tuple[str, ...] = ()
    """What was left out or taken otherwise than written; always empty for strict markup."""


def pause_ms(value: str, where: str) -> int:
    """Give the length of a pause such as ``400ms`` or ``1.2s``.

    Raises:
        TextError: bad_request: it is no length, or longer than ``MAX_PAUSE_MS``.
    """
    match = _PAUSE.fullmatch(value)
    if match is None:
        raise TextError(f"{where}: expected a length such as 400ms or 1.2s, found {value!r}")
    length = round(float(match[1]) * (1 if match[2] == "ms" else 1000))
    if length > MAX_PAUSE_MS:
        raise TextError(f"{where}: a pause is at most 10s, found {value}; use several lines for longer ones")
    return length
