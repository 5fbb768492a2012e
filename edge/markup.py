"""Inline tags: what an actor does in the middle of a line.

``[emotion:sad]`` holds until the next one, ``[pause:400ms]`` is silence, ``[mark:door_open]`` reports when
the sound gets there. A tag is never read aloud and never splits the reading of the word it stands in.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from .errors import TextError
from .spec import NAME

TagKind = Literal["emotion", "pause", "mark"]

MAX_PAUSE_MS = 10_000

_OPEN, _CLOSE = "[［", "]］"
_NAME = re.compile(NAME)
_PAUSE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?(ms|s)")
_KNOWN = "[emotion:name], [pause:400ms], [pause:1.2s], [mark:name]"


@dataclass(frozen=True)
class Tag:
    """One tag.

    Attributes:
        kind: ``emotion``, ``pause`` or ``mark``.
        value: name of the emotion or mark, or the length of the pause in ms.
        position: index in the plain text of the character that follows the tag.
    """

    kind: TagKind
    value: str | int
    position: int


@dataclass(frozen=True)
class Markup:
    """A line without its tags, and the tags in order."""

    plain: str
    tags: tuple[Tag, ...]


def parse(text: str) -> Markup:
    r"""Take the tags out of a line.

    Args:
        text: the line. Full-width ``［emotion：sad］`` is a tag too; ``\[``, ``\]`` and ``\\`` are the plain
            characters.

    Raises:
        TextError: bad_request: a tag is unknown, wrong or not closed. The message names the place, from 1.
    """
    plain: list[str] = []
    tags: list[Tag] = []
    index = 0
    while index < len(text):
        character = text[index]
        if character == "\\" and text[index + 1 : index + 2] in tuple(_OPEN + _CLOSE + "\\"):
            plain.append(text[index + 1])
            index += 2
        elif character in _OPEN:
            end = _tag_end(text, index)
            tags.append(_tag(text[index + 1 : end], index, len(plain)))
            index = end + 1
        elif character in _CLOSE:
            raise TextError(
                f"{character!r} at character {index + 1} closes no tag; "
                f"write \\{character} to have it in the text"
            )
        else:
            plain.append(character)
            index += 1
    return Markup("".join(plain), tuple(tags))


def _tag_end(text: str, start: int) -> int:
    for index in range(start + 1, len(text)):
        if text[index] in _CLOSE:
            return index
        if text[index] in _OPEN + "\n":
            break
    raise TextError(
        f"the tag {text[start : start + 20]!r} at character {start + 1} is not closed; "
        f"add ']', or write \\{text[start]} to have the bracket in the text. Tags: {_KNOWN}"
    )


def _tag(body: str, start: int, position: int) -> Tag:
    kind, colon, value = (part.strip() for part in unicodedata.normalize("NFKC", body).partition(":"))
    where = f"[{body}] at character {start + 1}"
    if kind == "pause" and colon:
        return Tag("pause", _pause_ms(value, where), position)
    if kind in ("emotion", "mark") and colon:
        if not _NAME.fullmatch(value):
            raise TextError(f"{where}: a name has 1 to 64 of a-z 0-9 _ -, found {value!r}")
        return Tag("emotion" if kind == "emotion" else "mark", value, position)
    raise TextError(f"unknown tag {where}; the tags are {_KNOWN}. Write \\[ to have a bracket in the text")


def _pause_ms(value: str, where: str) -> int:
    match = _PAUSE.fullmatch(value)
    if match is None:
        raise TextError(f"{where}: expected a length such as 400ms or 1.2s, found {value!r}")
    pause_ms = round(float(match[1]) * (1 if match[2] == "ms" else 1000))
    if pause_ms > MAX_PAUSE_MS:
        raise TextError(f"{where}: a pause is at most 10s, found {value}; use several lines for longer ones")
    return pause_ms
