"""Inline tags: what an actor does in the middle of a line.

``[emotion:sad]`` holds until the next one, ``[pause:400ms]`` is silence, ``[mark:door_open]`` reports when
the sound gets there. A tag is never read aloud and never splits the reading of the word it stands in.
"""

from __future__ import annotations

from ..errors import TextError
from .lenient import parse_lenient
from .strict import parse_strict
from .tags import MAX_PAUSE_MS, Markup, Tag, TagKind

__all__ = ["MARKUP", "MAX_PAUSE_MS", "TRUST", "Markup", "Tag", "TagKind", "parse"]

MARKUP = ("lenient", "strict")
TRUST = ("show", "text")


def parse(text: str, markup: str = "lenient", trust: str = "show") -> Markup:
    r"""Take the tags out of a line.

    Args:
        text: the line. Full-width ``［emotion：sad］`` is a tag too; ``\[``, ``\]`` and ``\\`` are the plain
            characters.
        markup: ``lenient``: what is no tag is not spoken and gives a warning; ``strict``: it is refused.
        trust: ``show``: the line is the show's own; ``text``: it comes from a language model or the public,
            and marks in it are not obeyed.

    Raises:
        TextError: bad_request: with ``strict``, a tag is unknown, wrong or not closed; the message names the
            place, from 1. Or one of the two settings is unknown.
    """
    if markup not in MARKUP:
        raise TextError(f"markup is {markup!r}; expected {' or '.join(MARKUP)}")
    if trust not in TRUST:
        raise TextError(f"trust is {trust!r}; expected {' or '.join(TRUST)}")
    parsed = parse_strict(text) if markup == "strict" else parse_lenient(text)
    return _without_marks(parsed) if trust == "text" else parsed


def _without_marks(parsed: Markup) -> Markup:
    """Leave out the marks of text that may not move the show."""
    marks = [str(tag.value) for tag in parsed.tags if tag.kind == "mark"]
    if not marks:
        return parsed
    tags = tuple(tag for tag in parsed.tags if tag.kind != "mark")
    warning = f"marks are not obeyed in text of trust 'text': {', '.join(dict.fromkeys(marks))}"
    return Markup(parsed.plain, tags, (*parsed.warnings, warning))
