"""Context of a match in Chinese text, and the shape of a rule that writes it out."""

from __future__ import annotations

import re
from collections.abc import Callable

Match = re.Match[str]
Rule = tuple[re.Pattern[str], Callable[[Match], str | None]]  # None: the rule does not hold here

LOOK_BACK = 10  # characters of context before a number
NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"


def before(match: Match) -> str:
    """The last characters before the match."""
    return match.string[max(0, match.start() - LOOK_BACK) : match.start()]


def follows(match: Match, pattern: re.Pattern[str]) -> bool:
    """Whether ``pattern`` matches right behind the match."""
    return pattern.match(match.string, match.end()) is not None


def compiled(*rules: tuple[str, Callable[[Match], str | None]]) -> tuple[Rule, ...]:
    """Rules from their patterns as text."""
    return tuple((re.compile(pattern), answer) for pattern, answer in rules)
