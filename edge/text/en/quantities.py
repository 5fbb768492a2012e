"""Money, measures, percentages, fractions, telephone numbers and bare numbers in English words."""

from __future__ import annotations

import re

from .context import Rule, next_word, previous_word, word_before
from .numbers import cardinal, decimal, fraction, ordinal, pairs, spell_digits
from .places import STATES
from .units import ATTACHED_ONLY, CURRENCIES, DIVISORS, MAGNITUDES, NEVER_LOOSE, PRICED_THINGS, UNITS

# Groups of three digits, or of two as in India: 2,50,000.
NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,2}(?:,\d\d)+,\d{3}(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
VULGAR = {
    "½": ("1", "2"), "⅓": ("1", "3"), "⅔": ("2", "3"), "¼": ("1", "4"), "¾": ("3", "4"), "⅕": ("1", "5"),
    "⅛": ("1", "8"), "⅜": ("3", "8"), "⅝": ("5", "8"), "⅞": ("7", "8"),
}  # fmt: skip
# Words before a number that is a name rather than an amount: 401 is "four oh one".
NAMED_BY_NUMBER = frozenset(
    "room rooms suite flight gate bus route highway interstate apartment apt unit channel platform exit "
    "error boeing airbus studio locker bay pier model hwy extension ext train tram line cabin".split()
)
SPELLED_NUMBERS = frozenset(
    "pin code passcode zip zipcode password account otp serial agent tracking id".split()
)
RELEASED = frozenset(
    "version python ios android release firmware ubuntu linux kernel java node chapter section".split()
)
EMERGENCY_CUES = frozenset("call called calling dial dialed dialing phone text ring".split())
OUT_OF = frozenset({"5", "10", "100"})  # scores: "8/10" is "eight out of ten"
EMERGENCY = {"911": "nine one one"}
# What games and quizzes count up to a whole: HP: 35/100.
_COUNTED_UP = re.compile(
    r"(?:(?<![A-Za-z])(?:[HMSXA]P|EXP|TP)|\b(?:health|mana|stamina|ammo|score|progress|level|lives|wave|round|page|"
    r"slide|question|step|rating|players|found|collected|keys|coins|clues|puzzles|quests?))\s?[:=]?\s?$",
    re.IGNORECASE,
)
TIMES_FOLLOWERS = frozenset("as more the less your his her their our its my".split())


def _money(match: re.Match[str]) -> str:
    """``$1,299.50`` -> ``one thousand two hundred ninety-nine dollars and fifty cents``."""
    singular, plural, cent, cents = CURRENCIES[match["sign"]]
    sign = "minus " if match["minus"] else ""
    amount, upper, size = match["n"].replace(",", ""), match["upper"], match["size"]
    if upper:
        return f"{sign}{decimal(amount)} to {decimal(upper)}{_magnitude(size)} {plural}"
    if size:
        name = singular if match["hyphen"] is not None else plural
        return f"{sign}{decimal(amount)}{_magnitude(size)} {name}"
    whole, _, part = amount.partition(".")
    if len(part) > 2 or (part and not cents):
        return f"{sign}{decimal(amount)} {plural}"
    if match["hyphen"] is not None or (next_word(match) in PRICED_THINGS and not part):
        return f"{sign}{decimal(amount)} {singular}"
    return sign + _coins(whole, part.ljust(2, "0"), (singular, plural, cent, cents))


def _coins(whole: str, part: str, names: tuple[str, str, str, str]) -> str:
    """Whole units and hundredths; a side that is zero is left out."""
    words = []
    if int(whole or "0") or not int(part):
        words.append(f"{cardinal(whole or '0')} {names[0] if whole == '1' else names[1]}")
    if int(part):
        words.append(f"{cardinal(part.lstrip('0'))} {names[2] if part == '01' else names[3]}")
    return " and ".join(words)


def _magnitude(size: str | None) -> str:
    return f" {MAGNITUDES[size.strip(' -')]}" if size else ""


def _money_behind(match: re.Match[str]) -> str:
    """``500 USD``, ``5¢``."""
    if match["code"] == "¢":
        return f"{decimal(match['n'])} {'cent' if match['n'] == '1' else 'cents'}"
    singular, plural = CURRENCIES[match["code"]][:2]
    return f"{decimal(match['n'])} {singular if match['n'] == '1' else plural}"


def _measure(match: re.Match[str]) -> str | None:
    """``60 km/h`` -> ``sixty kilometers per hour``; with a hyphen the unit stays in the singular."""
    unit, gap = match["unit"], match["gap"]
    names = UNITS.get(unit) or UNITS.get(unit.lower())
    loose = gap == " " and not match["per"] and not match["dot"]
    if names is None or (loose and (unit in ATTACHED_ONLY or unit in NEVER_LOOSE)):
        return None
    if (gap == "-" and unit in ATTACHED_ONLY) or (
        (match["over"] or match["vulgar"]) and not match["n"].isdecimal()
    ):
        return None
    one = gap == "-" or match["n"] == "1" or bool(match["over"])
    words = _amount(match) + " " + names[0 if one else 1]
    return words + (f" per {DIVISORS[match['per']]}" if match["per"] else "")


def _amount(match: re.Match[str]) -> str:
    """A decimal number, with a fraction behind it or over it where there is one."""
    if match["over"]:
        return fraction(match["n"], match["over"])
    if match["vulgar"]:
        return _mixed(match["n"], *VULGAR[match["vulgar"]])
    return decimal(match["n"])


def _mixed(whole: str, numerator: str, denominator: str) -> str:
    """``2``, ``1``, ``2`` -> ``two and a half``."""
    part = fraction(numerator, denominator)
    return f"{cardinal(whole)} and {'a ' + part[4:] if part.startswith('one ') else part}"


def _mixed_fraction(match: re.Match[str]) -> str | None:
    if int(match["b"]) >= int(match["c"]) or int(match["c"]) < 2:
        return None
    return _mixed(match["a"], match["b"], match["c"])


def _composed_fraction(match: re.Match[str]) -> str | None:
    """``21\u20442``, which is what Unicode normalisation makes of ``2½``; perhaps with a unit."""
    if int(match["b"]) < 2:
        return None
    parts = match["a"], match["b"]
    words = _mixed(match["n"], *parts) if match["n"] else fraction(*parts)
    return f"{words} {UNITS[match['unit']][bool(match['n'])]}" if match["unit"] in UNITS else words


def _vulgar(match: re.Match[str]) -> str:
    numbers = VULGAR[match["v"]]
    return _mixed(match["n"], *numbers) if match["n"] else fraction(*numbers)


def _fraction(match: re.Match[str]) -> str:
    """``3/4`` is a fraction, ``8/10`` and ``200/1000`` are scores."""
    top, bottom = match["a"], match["b"]
    counted = _COUNTED_UP.search(match.string[max(0, match.start() - 14) : match.start()])
    if counted and int(top) <= int(bottom):
        return f"{cardinal(top)} out of {cardinal(bottom)}"
    scored = bottom in OUT_OF and next_word(match) != "of" and match.group() not in {"1/5", "1/10"}
    if (scored or len(bottom) > 2) and int(top) <= int(bottom):
        return f"{cardinal(top)} out of {cardinal(bottom)}"
    return fraction(top, bottom)


def _telephone(match: re.Match[str]) -> str:
    """Groups of digits with a short pause between them."""
    groups = re.findall(r"\d+", match.group())
    words = ["eight hundred" if group == "800" else spell_digits(group) for group in groups]
    return ("plus " if match.group().startswith("+") else "") + ", ".join(words)


def _local_number(match: re.Match[str]) -> str | None:
    """``555-1234``, unless round numbers and a lower-case noun make it a range."""
    if match.group().endswith("0") and next_word(match).islower():
        return None
    return _telephone(match)


def _dotted(match: re.Match[str]) -> str:
    """Version numbers and addresses: ``192.168.1.1``; long groups digit by digit."""
    parts = match.group().split(".")
    spelled = any(len(part) > 2 for part in parts)
    if spelled:
        return " dot ".join(spell_digits(part) for part in parts)
    return " point ".join(cardinal(part) for part in parts)


def _address(match: re.Match[str]) -> str:
    """``192.168.0.1:8080``, the port behind it digit by digit too."""
    parts = match.group().partition(":")[0].split(".")
    words = " dot ".join(spell_digits(part) for part in parts)
    return words + (f", port {spell_digits(match['port'])}" if match["port"] else "")


def _height(match: re.Match[str]) -> str:
    """``5'10"`` -> ``five foot ten``."""
    feet = f"{cardinal(match['f'])} foot"
    return f"{feet} {cardinal(match['i'])}" if match["i"] else f"{cardinal(match['f'])} feet"


def _dimensions(match: re.Match[str]) -> str:
    """``1920x1080`` -> ``nineteen twenty by ten eighty``."""
    parts = re.split(r"\s?[x×]\s?", match.group())
    is_sum = re.match(r"\s?[=≈]", match.string[match.end() :]) is not None
    return (" times " if is_sum else " by ").join(
        pairs(part) if len(part) == 4 and "." not in part else decimal(part) for part in parts
    )


def _ordinal(match: re.Match[str]) -> str:
    return ordinal(match["n"].replace(",", ""))


def _times(match: re.Match[str]) -> str | None:
    """``3x faster`` -> ``three times faster``."""
    follower = next_word(match)
    return decimal(match["n"]) + " times" if follower.endswith("er") or follower in TIMES_FOLLOWERS else None


def _millions(match: re.Match[str]) -> str:
    """``1.5B``, ``5M``."""
    return f"{decimal(match['n'])} {MAGNITUDES[match['size']]}"


def _named(match: re.Match[str]) -> str | None:
    """Rooms, flights and codes."""
    digits, word = match["n"], previous_word(match)
    if digits in EMERGENCY:
        return EMERGENCY[digits]
    if len(digits) == 5 and word in STATES:
        return spell_digits(digits)
    if len(digits) == 3 and next_word(match).lower() in {"error", "errors", "page"} and digits[0] in "45":
        return pairs(digits)
    if word.lower() in {"is", "was", "number"}:
        word = word_before(match, 2)
    if word.lower() in SPELLED_NUMBERS or (len(digits) == 3 and word.lower() in EMERGENCY_CUES):
        return spell_digits(digits)
    if len(digits) in (3, 4) and (word.lower() in NAMED_BY_NUMBER or (len(word) > 1 and word.isupper())):
        return pairs(digits)
    return None


def _release(match: re.Match[str]) -> str | None:
    """``Python 3.11`` -> ``three point eleven``: releases are counted, not measured."""
    if previous_word(match).lower() not in RELEASED or match["b"][0] == "0":
        return None
    return f"{cardinal(match['a'])} point {cardinal(match['b'])}"


def _grouped(match: re.Match[str]) -> str:
    """``12 000``: thousands that are kept apart by spaces."""
    return cardinal(re.sub(r"\D", "", match["n"]))


def _plain(match: re.Match[str]) -> str:
    return decimal(match["n"])


_SIGNS = "|".join(
    re.escape(sign) for sign in sorted(CURRENCIES, key=len, reverse=True) if not sign[-1].isalpha()
)
_CODES = "|".join(sorted((code for code in CURRENCIES if code.isalpha()), key=len, reverse=True))
_SIZE = r"(?P<size>[ -]?(?:hundred|thousand|million|billion|trillion)\b|(?:bn|mn|tn|[kKMmBbT])(?![A-Za-z]))?"
_UNIT = "|".join(
    re.escape(unit)
    for unit in sorted(
        {*UNITS, "Km", "KM", "Kg", "KG", "mL", "Mhz", "Ghz", "Khz", "MPH"}, key=len, reverse=True
    )
)
_PER = "|".join(re.escape(unit) for unit in sorted(DIVISORS, key=len, reverse=True))
_MONEY_TAIL = (
    rf"(?P<n>{NUMBER})(?:\s?[-–]\s?(?P<upper>{NUMBER})(?![\d-]))?{_SIZE}"
    r"(?P<hyphen>(?=-[A-Za-z]))?(?:(?<=[\d.])\s?(?:USD|EUR|GBP|JPY|CAD|AUD|HKD)(?![A-Za-z]))?"
)

MONEY_RULES = (Rule(re.compile(rf"(?P<minus>[-−])?(?P<sign>{_SIGNS})\s?{_MONEY_TAIL}"), _money),)
CODE_RULES = (
    Rule(
        re.compile(
            rf"(?P<minus>(?!))?(?P<sign>US\$|C\$|A\$|HK\$|NT\$|{_CODES})(?:(?<=Rs)\.)?\s?{_MONEY_TAIL}"
        ),
        _money,
    ),
)
PLUS_TELEPHONE_RULES = (
    Rule(
        re.compile(r"\+\d{1,3}[\s.-]?(?:\(\d{1,4}\)[\s.-]?)?\d{1,4}(?:[\s.-]\d{2,4}){1,4}(?!\d)"), _telephone
    ),
    Rule(re.compile(r"(?:1[\s.-])?\(\d{3}\)\s?\d{3}[\s.-]\d{4}(?!\d)"), _telephone),
)
TELEPHONE_RULES = (
    Rule(re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::(?P<port>\d{2,5}))?(?![\d.]\d)"), _address),
    Rule(re.compile(r"\d{1,4}(?:\.\d{1,4}){2,4}(?!\.?\d)"), _dotted),
    Rule(re.compile(r"(?:1[\s.-])?(?:\(\d{3}\)\s?|\d{3}[-.\s])\d{3}[-.\s]\d{4}(?![\d-])"), _telephone),
    Rule(
        re.compile(r"97[89](?:[- ]\d{1,7}){3}[- ][\dX](?![\d-])|\d{1,5}(?:-\d{1,7}){2}-[\dX](?![\d-])"),
        _telephone,
    ),
    Rule(re.compile(r"\d{3}-\d{2}-\d{4}(?![\d-])|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?!\d)"), _telephone),
    Rule(re.compile(r"\d{3}-\d{4}(?![\d-])"), _local_number),
)
AMOUNT_RULES = (
    Rule(re.compile(r"50[-–]50(?!\d)"), lambda _: "fifty fifty"),
    Rule(
        re.compile(
            rf"(?P<n>\d{{0,6}})(?P<a>\d)\u2044(?P<b>\d{{1,2}})(?:\s?(?P<unit>{_UNIT})(?![A-Za-z0-9]))?"
        ),
        _composed_fraction,
    ),
    Rule(
        re.compile(
            r"(?P<f>\d)'(?:\s?(?P<i>1[01]|\d)(?:\"|'')?|(?=\s(?:tall|high|deep|wide|long)\b))(?![\dA-Za-z])"
        ),
        _height,
    ),
    Rule(re.compile(r"(?P<a>\d{1,4})\s(?P<b>\d{1,2})/(?P<c>\d{1,2})(?![\d/])"), _mixed_fraction),
    Rule(
        re.compile(
            rf"(?P<n>{NUMBER})(?:/(?P<over>[1-9]\d?)|\s?(?P<vulgar>[{''.join(VULGAR)}]))?(?P<gap>[ -]?)"
            rf"(?P<unit>{_UNIT})(?:/(?P<per>{_PER}))?(?![A-Za-z0-9²³'’/])"
            r"(?P<dot>\.(?=[,;:)]|\s+[a-z(=+-]))?"
        ),
        _measure,
    ),
    Rule(re.compile(rf"(?P<n>{NUMBER})\s?(?P<code>{_CODES}|¢)(?![A-Za-z0-9])"), _money_behind),
    Rule(re.compile(rf"(?P<n>\d*)\s?(?P<v>[{''.join(VULGAR)}])"), _vulgar),
    Rule(re.compile(r"(?P<a>\d{1,4})/(?P<b>\d{1,4})(?![\d/])"), _fraction),
    Rule(re.compile(rf"{NUMBER}(?:\s?[x×]\s?{NUMBER}){{1,2}}(?![A-Za-z\d])"), _dimensions),
    Rule(
        re.compile(r"(?P<n>\d{1,3}(?:,\d{3})+|\d{1,15})(?:st|nd|rd|th|ST|ND|RD|TH)(?![A-Za-z\d])"), _ordinal
    ),
    Rule(re.compile(rf"(?P<n>{NUMBER})x(?![A-Za-z\d])"), _times),
    Rule(re.compile(r"(?P<n>\d+\.\d+)\s?(?P<size>[BMT])(?![A-Za-z\d])"), _millions),
    Rule(
        re.compile(
            r"(?P<n>\d+)(?P<size>M|bn|mn|B(?=\s(?:dollars|people|users|views|years|euros|parameters)))(?![A-Za-z\d])"
        ),
        _millions,
    ),
    Rule(re.compile(r"(?P<n>\d{1,3}(?:[ \u00a0]\d{3})*[ \u00a0]000)(?!\d|[ \u00a0-]\d)"), _grouped),
    Rule(re.compile(r"(?P<a>\d{1,3})\.(?P<b>\d{2})(?![\dA-Za-z%]|[.,]\d)"), _release),
    Rule(re.compile(r"(?P<n>\d+)(?![\dA-Za-z%]|[.,]\d)"), _named),
)
VULGAR_RULES = (Rule(re.compile(rf"(?P<n>)(?P<v>[{''.join(VULGAR)}])"), _vulgar),)
PLAIN_RULE = Rule(re.compile(rf"(?P<n>{NUMBER})"), _plain)
