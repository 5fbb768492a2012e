"""Japanese text written out so that Open JTalk reads it right."""

from __future__ import annotations

import re

from .token import Span

_NUMBER = re.compile(r"[0-9０-９]+(?:[,，][0-9０-９]{3})*")
_DIGITS = "〇一二三四五六七八九"
_SMALL_UNITS = ("", "十", "百", "千")
_LARGE_UNITS = ("", "万", "億", "兆", "京")


def normalize_ja(text: str) -> list[Span]:
    """Write out the numbers of Japanese text; spans cover it in order."""
    spans: list[Span] = []
    end = 0
    for match in _NUMBER.finditer(text):
        if match.start() > end:
            spans.append(Span(text[end : match.start()], end, match.start()))
        spans.append(Span(number_kanji(int(re.sub("[,，]", "", match[0]))), match.start(), match.end()))
        end = match.end()
    if end < len(text):
        spans.append(Span(text[end:], end, len(text)))
    return spans


def number_kanji(number: int) -> str:
    """Write a whole number in kanji with places, e.g. 2026 as 二千二十六.

    >>> number_kanji(10300)
    '一万三百'
    """
    if number == 0:
        return "零"
    if number >= 10**20:
        return "".join(_DIGITS[int(digit)] for digit in str(number))
    groups = []
    for unit in _LARGE_UNITS:
        number, group = divmod(number, 10_000)
        if group:
            groups.append(_group_kanji(group, leading_one=bool(unit)) + unit)
    return "".join(reversed(groups))


def _group_kanji(group: int, leading_one: bool) -> str:
    text = ""
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if digit == 0:
            continue
        one_is_silent = digit == 1 and place > 0 and not (place == 3 and leading_one)
        text += ("" if one_is_silent else _DIGITS[digit]) + _SMALL_UNITS[place]
    return text
