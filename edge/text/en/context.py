"""Context of a match in the source text, and the shape of a rewriting rule."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..token import Span

STARTERS = frozenset(
    "The A An He She It They We I You But And So In On At This That These Those There Then When What Why How "
    "Who If As For From With After Before My His Her Their Our Its Your No Yes Please Let Is Are Was Were Do "
    "Does Did".split()
)
# "Plan A": the letter; "Once upon A Time": the article.
LETTERED = frozenset(
    "plan vitamin grade section class type group appendix exhibit team building gate terminal hepatitis "
    "player point option part room side level block letter series model an row lane zone wing unit".split()
)
LOOK_BEHIND = 40  # characters; two words of context are enough for every rule
_CLOSING = re.compile(r"[\"')\]]*(?:\s*$|\s+(?P<next>[A-Z][A-Za-z']*))")
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z'.]*)[\s(\"'#:]*$")
_WORD = re.compile(r"[A-Za-z][A-Za-z']*")
_NEXT_WORD = re.compile(r"[\s\"'(]*([A-Za-z][A-Za-z']*)")


@dataclass(frozen=True)
class Rule:
    """A pattern that must match at a given position and what is said instead."""

    pattern: re.Pattern[str]
    """Anchored by ``pattern.match(text, position)``; what it matches is replaced."""
    write: Callable[[re.Match[str]], str | list[Span] | None]
    """Gives the words, finer spans, or None where the pattern matched but the rule does not apply."""


def previous_word(match: re.Match[str]) -> str:
    """The word before the match as written, or an empty string."""
    before = match.string[max(0, match.start() - LOOK_BEHIND) : match.start()]
    found = _LAST_WORD.search(before)
    return found.group(1) if found else ""


def word_before(match: re.Match[str], count: int) -> str:
    """The ``count``-th word before the match as written, or an empty string."""
    words = _WORD.findall(match.string[max(0, match.start() - LOOK_BEHIND) : match.start()])
    return str(words[-count]) if len(words) >= count else ""


def next_word(match: re.Match[str]) -> str:
    """The word after the match as written, or an empty string."""
    found = _NEXT_WORD.match(match.string, match.end())
    return found.group(1) if found else ""


def follows(match: re.Match[str], pattern: re.Pattern[str]) -> bool:
    """Whether ``pattern`` matches right behind the match."""
    return pattern.match(match.string, match.end()) is not None


def ends_sentence(match: re.Match[str], any_capital: bool = False) -> bool:
    """Whether the full stop of an abbreviation also closes the sentence."""
    closing = _CLOSING.match(match.string[match.end() : match.end() + 40])
    if not closing:
        return False
    following = closing["next"]
    return following is None or any_capital or following in STARTERS
