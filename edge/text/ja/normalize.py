"""Japanese text written out so that Open JTalk reads it right."""

from __future__ import annotations

import re

from ..token import Span
from .numbers import CODE_BEFORE, NUMBER_RULES, one_by_one
from .readings import READING_RULES

_LOOK_BACK = 30  # characters
_DIGITS = re.compile(r"\d{2,}(?![.\d])")


def normalize(text: str, before: str = "") -> list[Span]:
    """Apply the rules for numbers, signs and readings; spans cover ``text`` in order, without gaps.

    Args:
        text: Japanese text.
        before: what stands before it in the line, perhaps in another language: the abc of パスワードはabc123.

    >>> [span.text for span in normalize("1,299円です")]
    ['1299', '円です']
    """
    rules = NUMBER_RULES + READING_RULES if any(map(_may_be_number, text)) else READING_RULES
    replaced: list[Span] = []
    taken = [False] * len(text)
    code = _DIGITS.match(text) if CODE_BEFORE.search(before[-_LOOK_BACK:]) else None
    if code:
        replaced.append(Span(one_by_one(code[0]), 0, code.end()))
        taken[: code.end()] = [True] * code.end()
    for pattern, answer in rules:
        group = "word" if "word" in pattern.groupindex else 0
        for match in pattern.finditer(text):
            start, end = match.span(group)
            if any(taken[start:end]):
                continue
            spelling = answer(match)
            if spelling is None:
                continue
            replaced.append(Span(spelling, start, end))
            taken[start:end] = [True] * (end - start)
    return _fill(text, sorted(replaced, key=lambda span: span.start))


def _may_be_number(character: str) -> bool:
    return character.isdigit() or character in "一元¥$€£₩½⅓⅔¼¾²³〜～~√∑∫−±"


def _fill(text: str, replaced: list[Span]) -> list[Span]:
    """Put the untouched text between the replaced spans."""
    spans: list[Span] = []
    end = 0
    for span in replaced:
        if span.start > end:
            spans.append(Span(text[end : span.start], end, span.start))
        spans.append(span)
        end = span.end
    if end < len(text):
        spans.append(Span(text[end:], end, len(text)))
    return spans
