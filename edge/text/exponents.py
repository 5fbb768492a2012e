"""Raised numbers as plain text writes them: 10⁻¹⁹ is 10^-19, x⁴ is x^4."""

from __future__ import annotations

import re

# Behind a number, a bracket or a letter that stands alone. ² and ³ alone are signs of their own, and behind a
# word a raised figure is a note.
_BASE = r"(?:(?<=[\d)）])|(?<=[^A-Za-z][A-Za-z])|(?<=\A[A-Za-z]))"
_FIGURES = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n", strict=True))
_RAISED = re.compile(rf"{_BASE}(?:[⁻⁺][⁰¹²³⁴-⁹]{{1,6}}|[⁰¹²³⁴-⁹]{{2,6}}|[⁰⁴-⁹ⁿ])")


def exponents(text: str) -> dict[int, str]:
    """What each character of a raised number stands for, by its place in the text.

    >>> exponents("x⁴")
    {1: '^4'}
    """
    if text.isascii():
        return {}
    written: dict[int, str] = {}
    for match in _RAISED.finditer(text):
        for place in range(*match.span()):
            written[place] = ("^" if place == match.start() else "") + _FIGURES[text[place]]
    return written
