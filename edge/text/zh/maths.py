"""Powers and the signs of sums in Chinese words."""

from __future__ import annotations

from .context import NUMBER, Match, compiled
from .numbers import cardinal, number
from .units import RATES, SIGNS, UNIT, UNITS

_N = NUMBER


def _power(match: Match) -> str:
    per, noun = RATES.get(match["unit"], ("", UNITS.get(match["unit"], "")))
    return f"{number(match['base'])}的{_exponent(match)}{noun}{per}"


def _exponent(match: Match) -> str:
    exponent = match["exponent"] or {"²": "2", "³": "3"}[match["raised"]]
    return f"{'负' if match['minus'] else ''}{cardinal(exponent)}次方"


def _power_of_letter(match: Match) -> str:
    """The exponent behind a letter or a bracket: x^2 -> 的平方."""
    exponent = match["exponent"] or {"²": "2", "³": "3"}[match["raised"]]
    usual = "" if match["minus"] else {"2": "平方", "3": "立方"}.get(exponent, "")
    return "的" + (usual or _exponent(match))


def _scientific(match: Match) -> str | None:
    """1.5e-3 -> 一点五乘十的负三次方; 3e5 is a name."""
    if "." not in match["base"] and not match["sign"]:
        return None
    minus = "负" if match["sign"] in ("-", "−") else ""
    return f"{number(match['base'])}乘十的{minus}{cardinal(match['exponent'])}次方"


def _minus_apart(match: Match) -> str | None:
    """The sign of a sum written with spaces, 4 - 1 = 3; elsewhere a dash."""
    return "减" if "=" in match.string[match.end() :] or "等于" in match.string[match.end() :] else None


POWER_RULES = compiled(
    (
        rf"(?P<base>{_N})(?:\^(?P<minus>[-−])?(?P<exponent>\d+)|(?P<raised>[²³]))"
        rf"(?:\s?(?P<unit>{UNIT})(?![A-Za-z\d]))?",
        _power,
    ),
    (r"(?<=[A-Za-z)）])(?:\^(?P<minus>[-−])?(?P<exponent>\d+)|(?P<raised>[²³]))", _power_of_letter),
    (rf"(?P<base>{_N})[eE](?P<sign>[-−+])?(?P<exponent>\d{{1,3}})(?![A-Za-z\d])", _scientific),
)
MINUS_RULES = compiled(
    (r"(?<=[\w)²³])\s?−\s?(?=[\dA-Za-z(√])", lambda m: "减"),
    (r"−(?=\s?[A-Za-z(√])", lambda m: "负"),
)
SIGN_RULES = compiled(
    # Between two words or numbers only: elsewhere they draw faces, >_<
    (
        r"(?:(?<=[\w)%）])\s?|(?<=[\w)%）] ))(?P<sign>[=≈≠≥≤<>×÷+&→])\s?(?=[\w(（√$¥€£-])",
        lambda m: SIGNS[m["sign"]],
    ),
    (r"(?<=[\w)）] )[-−](?= [\w(（])", _minus_apart),
    (r"(?P<sign>[≥≤<>≈])\s?(?=\d)", lambda m: SIGNS[m["sign"]]),
)
