"""Markup as an author writes it: what is no tag is refused, with its place and the remedy."""

from __future__ import annotations

import unicodedata

from ..errors import TextError
from .tags import CLOSING, KNOWN_TAGS, NAME, OPENING, Markup, Tag, pause_ms


def parse_strict(text: str) -> Markup:
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
        if character == "\\" and text[index + 1 : index + 2] in tuple(OPENING + CLOSING + "\\"):
            plain.append(text[index + 1])
            index += 2
        elif character in OPENING:
            end = _tag_end(text, index)
            tags.append(_tag(text[index + 1 : end], index, len(plain)))
            index = end + 1
        elif character in CLOSING:
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
        if text[index] in CLOSING:
            return index
        if text[index] in OPENING + "\n":
            break
    raise TextError(
        f"the tag {text[start : start + 20]!r} at character {start + 1} is not closed; "
        f"add ']', or write \\{text[start]} to have the bracket in the text. Tags: {KNOWN_TAGS}"
    )


def _tag(body: str, start: int, position: int) -> Tag:
    kind, colon, value = (part.strip() for part in unicodedata.normalize("NFKC", body).partition(":"))
    where = f"[{body}] at character {start + 1}"
    if kind == "pause" and colon:
        return Tag("pause", pause_ms(value, where), position)
    if kind in ("emotion", "mark") and colon:
        if not NAME.fullmatch(value):
            raise TextError(f"{where}: a name has 1 to 64 of a-z 0-9 _ -, found {value!r}")
        return Tag("emotion" if kind == "emotion" else "mark", value, position)
    raise TextError(
        f"unknown tag {where}; the tags are {KNOWN_TAGS}. Write \\[ to have a bracket in the text"
    )
