"""Japanese text written out so that Open JTalk reads it right."""

from __future__ import annotations

import re

from .token import Span

_GROUPED = re.compile(r"(?<![0-9])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|(?<=[0-9])\.(?=[0-9])|．")
_REPLACED = {".": "．", "．": "。"}


def normalize_ja(text: str) -> list[Span]:
    """Write out the numbers of Japanese text; spans cover it in order."""
    spans: list[Span] = []
    end = 0
    for match in _GROUPED.finditer(text):
        if match.start() > end:
            spans.append(Span(text[end : match.start()], end, match.start()))
        spans.append(Span(_REPLACED.get(match[0], match[0].replace(",", "")), match.start(), match.end()))
        end = match.end()
    if end < len(text):
        spans.append(Span(text[end:], end, len(text)))
    return spans
