"""Powers, scientific notation and the minus of sums in English words."""

from __future__ import annotations

import re

from .context import Rule
from .numbers import cardinal, decimal
from .units import DIVISORS, NEVER_LOOSE, UNITS

_USUAL = {"2": " squared", "3": " cubed"}
_SUM = re.compile(r"[=<>≤≥≈≠]")
_NUMBER = r"\d+(?:\.\d+)?"


def _power(match: re.Match[str]) -> str | None:
    """``x^2`` -> ``x squared``; ``^^`` draws a face."""
    before = match.string[: match.start()].rstrip()[-1:]
    if not before or not (before.isalnum() or before in ")]"):
        return None
    exponent, bracketed = match["n"], match["bracketed"]
    if exponent in _USUAL and not match["minus"]:
        return _USUAL[exponent]
    words = f" to the power of {'minus ' if match['minus'] else ''}"
    if bracketed is not None:
        return words
    return words + (cardinal(exponent) if exponent.isdecimal() else exponent.upper())


def _scientific(match: re.Match[str]) -> str | None:
    """``6.02e23``, ``1.5×10^-3`` -> ``one point five times ten to the minus three``."""
    if match["e"] and "." not in match["n"] and not match["sign"]:
        return None
    minus = "minus " if match["sign"] in ("-", "−") else ""
    unit = match["unit"] or ""
    name, _, per = (unit, "", "") if unit in UNITS else unit.partition("/")
    if unit and (unit in NEVER_LOOSE or name not in UNITS or (per and per not in DIVISORS)):
        unit = name = per = ""
    measured = (f" {UNITS[name][1]}" if name else "") + (f" per {DIVISORS[per]}" if per else "")
    words = f"{decimal(match['n'])} times ten to the {minus}{cardinal(match['x'])}{measured}"
    return words if unit or not match["unit"] else f"{words} {match['unit']}"


def _letters(match: re.Match[str]) -> str | None:
    """Letters of a sum, which are named: the mc of mc^2, the a of a≥b."""
    is_unit = match[0] in UNITS and match.string[: match.start()].rstrip()[-1:].isdecimal()
    return None if is_unit else " ".join(match[0].upper())


def minus_of_sum(match: re.Match[str]) -> str | None:
    """A dash with spaces on both sides between terms, in a line with an equals sign."""
    text, start, end = match.string, match.start(), match.end()
    if text[start - 1 : start] != " " or text[end : end + 1] != " " or not _SUM.search(text):
        return None
    terms = (
        re.search(r"(?:\d|\)|(?<![A-Za-z])[A-Za-z])$", text[: start - 1].rstrip()),
        re.match(r"\s*(?:[\d(]|[A-Za-z](?![A-Za-z]))", text[end:]),
    )
    return " minus" if all(terms) else None


POWER_RULES = (
    Rule(
        re.compile(r"\^(?P<minus>[-−])?(?:(?P<n>\d+|[A-Za-z](?![A-Za-z]))|(?P<bracketed>(?=[({])))"), _power
    ),
)
SCIENTIFIC_RULES = (
    Rule(
        re.compile(
            rf"(?P<n>{_NUMBER})(?:(?P<e>[eE])|\s?[×x*·]\s?10\s?\^)(?P<sign>[-−+])?(?P<x>\d{{1,3}})(?![A-Za-z\d])"
            r"(?:\s?(?P<unit>[A-Za-zµΩ]{1,3}(?:/[a-z]{1,3})?[²³]?)(?![A-Za-z\d²³/]))?"
        ),
        _scientific,
    ),
)
LETTER_RULES = (Rule(re.compile(r"[A-Za-z]{1,2}(?=[\^²³])|[a-z](?=[=≥≤≠≈÷×+−][\w(])|A(?=\+)"), _letters),)
