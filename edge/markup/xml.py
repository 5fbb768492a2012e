"""SSML and HTML in a line: what a tag means, where it means something to a voice."""

from __future__ import annotations

import html
import re

from .forms import emotion_name, pause_length, read_tag
from .tags import Tag

_ATTRIBUTE = r"""\s+[\w:.-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>/]+)"""
ELEMENT = rf"<(?:/[A-Za-z][\w:-]{{0,40}}\s*|[A-Za-z][\w:-]{{0,40}}(?:{_ATTRIBUTE}){{0,8}}\s*/?)>"
# What stands inside these is not meant to be heard.
HIDDEN = (
    r"<(?P<hidden>think|thinking|thought|reasoning|script|style|desc)>.*?(?:</(?P=hidden)>|\Z)|<!--.*?(?:-->|\Z)"
    r"|<\?[^<>]*\?>|<!DOCTYPE[^<>]*>"
)
ENTITY = r"&(?:[A-Za-z]{2,8}\d{0,2}|\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6});"
_PARTS = re.compile(r"<(/?)([A-Za-z][\w:-]*)(.*?)/?>", re.DOTALL)
_VALUES = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'/>]+))""")
_LINES = frozenset("br p div li ul ol tr table h1 h2 h3 h4 h5 h6 blockquote s sentence paragraph".split())
_BREAKS = {"none": 0, "x-weak": 100, "weak": 200, "medium": 400, "strong": 700, "x-strong": 1000}


def read_element(element: str, position: int) -> tuple[str, Tag | None]:
    """Text and tag that an element stands for, most often neither.

    Args:
        element: one start or end tag as written.
        position: in the plain text.
    """
    match = _PARTS.fullmatch(element)
    if match is None:
        return "", None
    name = match[2].casefold().rpartition(":")[2]
    values = attributes(match[3])
    if name == "break" and not match[1]:
        return "", Tag("pause", _break_ms(values), position)
    if name == "mark" and not match[1] and values.get("name"):
        return "", read_tag(f"mark:{values['name']}", position)
    if name in ("express-as", "emotion") and (values.get("style") or values.get("name")):
        emotion = emotion_name(values.get("style") or values.get("name", ""))
        return "", Tag("emotion", emotion, position) if emotion else None
    if name == "express-as" and match[1]:
        return "", Tag("emotion", "neutral", position)
    is_line = name in _LINES and (bool(match[1]) or name == "br")
    return ("\n" if is_line else ""), None


def attributes(text: str) -> dict[str, str]:
    """Names and values of the attributes of a start tag."""
    return {key.casefold(): html.unescape(a or b or c) for key, a, b, c in _VALUES.findall(text)}


def _break_ms(values: dict[str, str]) -> int:
    length = pause_length(values.get("time", ""))
    return _BREAKS.get(values.get("strength", "medium"), _BREAKS["medium"]) if length is None else length


def decode_entity(entity: str) -> str:
    """``&amp;`` -> ``&``; a non-breaking space is a space. What is no entity stays."""
    return html.unescape(entity).replace("\u00a0", " ")
