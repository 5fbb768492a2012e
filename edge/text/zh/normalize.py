"""Writes Chinese text out: dates, times, money, units, numbers and signs become Han characters.

Rules are tried in order at every digit or sign; the first that answers decides. A line without digits and
signs is not touched at all.
"""

from __future__ import annotations

import re

from ..scripts import HAN
from ..token import Span
from .context import LOOK_BACK
from .rules import RULES
from .units import CURRENCY, GREEK

_CANDIDATE = re.compile(
    rf"[\d.+\-−~～–—=≈≠≥≤<>±×÷*/^&@#√∑∫∏∞%‰°℃℉№½⅓⅔¼¾²³㎡→{''.join(GREEK)}]"
    rf"|(?<=[{HAN}])[IVX]{{2,}}|(?:{CURRENCY})(?=\s?\d)|N[oO]\.?\s?(?=\d)|[AaPp][Mm]\s?(?=\d{{1,2}}[:：]\d)|(?<=\d)[xX](?=\d)"
)


def normalize(text: str, before: str = "", after: str = "") -> list[Span]:
    """Spans that cover ``text`` in order; each written-out number stands for the source it replaces.

    Args:
        text: Chinese text.
        before: what stands before it in the line, perhaps in another language: the A of A380.
        after: what stands behind it: the A of 705A.

    >>> [span.text for span in normalize("价格是¥1,299.00。")]
    ['价格是', '一千两百九十九元', '。']
    """
    before = before[-LOOK_BACK:]
    shift = len(before)
    spans = _write_out_all(before + text + after[:LOOK_BACK], shift, shift + len(text))
    return [Span(span.text, span.start - shift, span.end - shift) for span in spans]


def _write_out_all(text: str, done: int, stop: int) -> list[Span]:
    spans: list[Span] = []
    position = done
    while (found := _CANDIDATE.search(text, position)) and found.start() < stop:
        position = found.start()
        written, end = _write_out(text, position, stop)
        if written is None:
            position = end
            continue
        if position > done:
            spans.append(Span(text[done:position], done, position))
        spans.append(Span(written, position, end))
        done = position = end
    if done < stop:
        spans.append(Span(text[done:stop], done, stop))
    return spans


def _write_out(text: str, position: int, stop: int) -> tuple[str | None, int]:
    """What stands at a position in words, and where it ends."""
    for pattern, answer in RULES:
        match = pattern.match(text, position)
        if match and match.end() <= stop:
            written = answer(match)
            if written is not None:
                return written, match.end()
    return None, position + 1
