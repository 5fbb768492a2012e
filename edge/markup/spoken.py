"""SSML elements that say how their words are to be spoken: ``<sub alias="…">`` and ``<say-as>``."""

from __future__ import annotations

import re

from .xml import attributes

_TEXT = r"(?P<{name}_text>[^<>]{{0,200}})"
_START = r"<(?:[\w-]+:)?{name}(?P<{group}_values>(?:\s[^<>]*)?)>"
SPOKEN = (
    _START.format(name="sub", group="sub") + _TEXT.format(name="sub") + r"</(?:[\w-]+:)?sub\s*>"
    r"|<ruby[^<>]*>(?P<ruby_text>(?:[^<>]|</?(?:rb|rp|rt)>){1,200})</ruby\s*>"
    "|" + _START.format(name="say-as", group="say") + _TEXT.format(name="say") + r"</(?:[\w-]+:)?say-as\s*>"
)
_HAN_OR_KANA = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_RUBY = re.compile("<rt>([^<>]*)")
_SPELLED = frozenset("characters spell-out verbatim digits digit letters".split())
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}
_DATE = re.compile(r"(\d{1,4})[/.\- ](\d{1,2})[/.\- ](\d{1,4})")


def read_spoken(match: re.Match[str], line: str) -> str:
    """Words for an element, written so that the readers say them as asked.

    Args:
        match: of ``SPOKEN``.
        line: the whole line, which tells the language of a number.
    """
    if match["sub_text"] is not None:
        return attributes(match["sub_values"]).get("alias", match["sub_text"])
    if match["ruby_text"] is not None:
        return "".join(_RUBY.findall(match["ruby_text"])) or re.sub("<[^<>]*>", "", match["ruby_text"])
    values, text = attributes(match["say_values"]), match["say_text"].strip()
    kind = values.get("interpret-as", values.get("type", "")).casefold()
    if kind in _SPELLED:
        return _apart(text)
    if kind == "telephone":
        return ", ".join(_apart(group) for group in re.split(r"[\s().-]+", text) if group)
    if kind == "ordinal" and text.isdecimal():
        return _ordinal(text, line)
    if kind == "date":
        return _date(text, values.get("format", ""))
    return "" if kind in ("expletive", "bleep") else match["say_text"]


def _apart(text: str) -> str:
    """Letters and figures one by one: as capitals, so that an a is no article."""
    return " ".join(text.replace(" ", "").upper()) if text.isascii() else " ".join(text)


def _ordinal(text: str, line: str) -> str:
    if _HAN_OR_KANA.search(line):
        return "第" + text
    tens = int(text) % 100
    return text + ("th" if 10 <= tens <= 20 else _ORDINALS.get(tens % 10, "th"))


def _date(text: str, order: str) -> str:
    """Year, month and day, which every reader knows; the order is that of ``format``."""
    match = _DATE.fullmatch(text)
    order = re.sub("[^ymd]", "", order.casefold())[:3] or ("ymd" if match and len(match[1]) == 4 else "mdy")
    if match is None or sorted(order) != ["d", "m", "y"]:
        return text
    found = dict(zip(order, match.groups(), strict=True))
    return f"{found['y']}-{found['m']:0>2}-{found['d']:0>2}"
