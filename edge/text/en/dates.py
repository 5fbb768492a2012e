"""Dates, years, decades and times of day in English words."""

from __future__ import annotations

import re

from .context import Rule, ends_sentence, follows, next_word, previous_word
from .numbers import ONES, cardinal, ordinal, plural, year

MONTHS = (
    "January February March April May June July August September October November December".split()
)  # fmt: skip
WEEKDAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday",
    "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
SHORT_MONTHS = {month[:3]: month for month in MONTHS} | {"Sept": "September"}
ANY_MONTH = "|".join(MONTHS) + "|Sept|" + "|".join(month[:3] for month in MONTHS)
MONTH_NAMES = (
    frozenset(MONTHS)
    | frozenset(SHORT_MONTHS)
    | frozenset(month.lower() for month in MONTHS if len(month) > 5)
)

# Words before a bare number that make it a year, and words behind it that make it a quantity.
YEAR_CUES = frozenset(
    "in since from until till by of year during before after circa around late early mid spring summer "
    "autumn fall winter christmas copyright through and to between".split()
)
STRONG_YEAR_CUES = frozenset(
    "in since until during year circa copyright spring summer autumn fall winter".split()
)
COUNTED = frozenset(
    "people men women children percent dollars euros pounds yen feet mice sheep fish words of".split()
)
YEARLY = frozenset("sales elections championships olympics games finals".split())
NOT_COUNTED = (
    frozenset(
        "is was has as this its his us thus does towards afterwards always besides perhaps versus less "
        "across "
        "unless yes plus s".split()
    )
    | YEARLY
)
_YEAR_IS = re.compile(r"\b[Yy]ear(?:\s(?:is|was|will be|of our Lord|\w+))?[:,]?\s$")
EARLIEST_YEAR, LATEST_YEAR = 1100, 2099
SAID_AS_PAIR = {
    "24/7": "twenty-four seven",
    "9/11": "nine eleven",
    "50/50": "fifty fifty",
    "20/20": "twenty twenty",
}
_LEFT_BEHIND = re.compile(r"\s(?:left|remaining|remain|to go|on the clock)\b")
CLOCK_CUES = frozenset("at by until till before after from to since around".split())
DATE_CUES = frozenset("on by until till since before after from through dated due".split())


def _is_month(word: str) -> bool:
    return word.rstrip(".") in MONTH_NAMES


def _full_date(year_digits: str, month: int, day: int) -> str | None:
    """``November twenty-second, twenty twenty-six``; None where no such day can be."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{MONTHS[month - 1]} {ordinal(str(day))}, {year(year_digits)}"


def _iso_date(match: re.Match[str]) -> str | None:
    words = _full_date(match["y"], int(match["m"]), int(match["d"]))
    return words + ", " if words and match["t"] else words


def _slashed_date(match: re.Match[str]) -> str | None:
    """American order; day first with full stops, or where the first number cannot be a month."""
    first, second, digits = int(match["a"]), int(match["b"]), match["y"]
    if len(digits) == 2:
        digits = ("20" if int(digits) < 70 else "19") + digits
    if match["mark"] == ".":
        first, second = second, first
    return _full_date(digits, first, second) or _full_date(digits, second, first)


def _short_date(match: re.Match[str]) -> str | None:
    """``11/22`` after "on", "by", ...: without such a word it is a fraction."""
    month, day = int(match["m"]), int(match["d"])
    if match.group() in SAID_AS_PAIR:
        return SAID_AS_PAIR[match.group()]
    if previous_word(match).lower() not in DATE_CUES or not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{MONTHS[month - 1]} {ordinal(str(day))}"


def _day_after_month(match: re.Match[str]) -> str | None:
    """``22`` of ``Nov 22, 2026``; also ``3-5`` of ``Nov 3-5``."""
    if not _is_month(previous_word(match)) or not 1 <= int(match["d"]) <= 31:
        return None
    words = ordinal(match["d"].lstrip("0"))
    return f"{words} to {ordinal(match['e'].lstrip('0') or '0')}" if match["e"] else words


def _day_before_month(match: re.Match[str]) -> str | None:
    """``22`` of ``22 November 2026``."""
    if not 1 <= int(match["d"]) <= 31:
        return None
    article = "" if previous_word(match).lower() == "the" else "the "
    return f"{article}{ordinal(match['d'].lstrip('0'))} of"


def _month(match: re.Match[str]) -> str | None:
    """A shortened month beside a day or a year, or any that is written with a full stop."""
    before = match.string[max(0, match.start() - 4) : match.start()]
    beside = re.match(r"\s*\d", match.string[match.end() : match.end() + 4]) or re.search(
        r"\d\w{0,2} $", before
    )
    said = beside or (match["dot"] and match["m"] not in {"Mar", "Jan", "May"})
    return SHORT_MONTHS[match["m"]] + _kept_stop(match) if said else None


def _kept_stop(match: re.Match[str]) -> str:
    """The full stop of an abbreviation, where it also ends the sentence."""
    return "." if match["dot"] and ends_sentence(match) else ""


def _weekday(match: re.Match[str]) -> str | None:
    """``Mon`` before a date, or on either side of a range of days."""
    before = match.string[max(0, match.start() - 20) : match.start()]
    dated = DAY_FOLLOWS.match(match.string, match.end()) or DAY_PRECEDES.search(before)
    return WEEKDAYS[match["w"]] + _kept_stop(match) if dated else None


def _decade(match: re.Match[str]) -> str | None:
    digits = match["d"]
    if len(digits) == 4:
        return plural("two thousand") if digits == "2000" else plural(year(digits))
    return plural(cardinal(digits)) if digits != "00" else "two thousands"


def _short_year(match: re.Match[str]) -> str:
    """``'05`` -> ``oh five``."""
    digits = match["d"]
    return f"oh {ONES[int(digits)]}" if digits[0] == "0" else cardinal(digits)


def _year(match: re.Match[str]) -> str | None:
    """Four digits: a year, unless a counted thing follows and no "in" or "since" comes before."""
    digits, before = match["y"], previous_word(match).lower()
    era = match["era"]
    named = _YEAR_IS.search(match.string[max(0, match.start() - 24) : match.start()]) is not None
    strong = (before in STRONG_YEAR_CUES and digits < "3000") or _is_month(previous_word(match)) or bool(era)
    strong = strong or named
    early = not EARLIEST_YEAR <= int(digits) <= LATEST_YEAR
    after = next_word(match)
    counted = after in COUNTED or (after.islower() and after.endswith("s") and after not in NOT_COUNTED)
    counted = counted or (after in YEARLY and digits < "1896")
    if not strong and (early or counted):
        return None
    return year(digits) + (f" {era.replace('.', '')}" if era else "")


def _ancient_year(match: re.Match[str]) -> str:
    return f"{cardinal(match['d'])} {match['era'].replace('.', '')}"


def _year_range(match: re.Match[str]) -> str | None:
    first, second = match["a"], match["b"]
    if not EARLIEST_YEAR <= int(first) <= LATEST_YEAR:
        return None
    if len(second) == 4 and not EARLIEST_YEAR <= int(second) <= LATEST_YEAR:
        return None
    return f"{year(first)} to {year(second) if len(second) == 4 else _two_digits(second)}"


def _two_digits(digits: str) -> str:
    return f"oh {ONES[int(digits)]}" if digits[0] == "0" else cardinal(digits)


def _clock(match: re.Match[str]) -> str | None:
    """``3:05 pm`` -> ``three oh five PM``, ``14:30`` -> ``fourteen thirty``, ``3:00`` -> "three o'clock"."""
    hour, minute, second, half = match["h"], match["min"], match["s"], match["half"]
    if not half and not second and _is_countdown(match):
        return _time_left(hour, minute)
    if int(hour) > 24:
        return None
    words = [cardinal(str(int(hour)))]
    if minute != "00":
        words.append(_two_digits(minute))
    elif not half and not second:
        words.append("o'clock" if 1 <= int(hour) <= 12 else "hundred")
    if second:
        words.append(f"and {cardinal(str(int(second)))} seconds")
    return " ".join(words) + _half_day(match, half)


def _is_countdown(match: re.Match[str]) -> bool:
    """59:59 left, countdown 05:00."""
    return follows(match, _LEFT_BEHIND) or previous_word(match).lower() in ("timer", "countdown", "remaining")


def _time_left(minutes: str, seconds: str) -> str:
    parts = [(int(minutes), "minute"), (int(seconds), "second")]
    return (
        " and ".join(f"{cardinal(str(n))} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n) or "zero"
    )


def _military(match: re.Match[str]) -> str | None:
    """``at 0900 hours`` -> ``oh nine hundred``; ``1400 hours`` of work are counted."""
    hour, minute = match["h"], match["min"]
    if hour[0] != "0" and previous_word(match).lower() not in CLOCK_CUES:
        return None
    words = _two_digits(hour) if hour != "00" else "zero"
    return f"{words} {'hundred' if minute == '00' else _two_digits(minute)}"


def _hour(match: re.Match[str]) -> str | None:
    """``3 pm``."""
    if not 1 <= int(match["h"]) <= 12:
        return None
    return cardinal(match["h"].lstrip("0")) + _half_day(match, match["half"])


def _half_first(match: re.Match[str]) -> str:
    """``PM 5:30`` -> ``five thirty PM``, as Japanese lines have it."""
    minutes = f" {_two_digits(match['m'])}" if match["m"] != "00" else ""
    return f"{cardinal(match['h'])}{minutes} {match['half']}M"


def _half_day(match: re.Match[str], half: str | None) -> str:
    """`` PM``, with a full stop where "p.m." also ends the sentence."""
    if not half:
        return ""
    closes = match.group().endswith(".") and re.match(
        r"[\"')]*(?:\s+[A-Z]|\s*$)", match.string[match.end() :][:40]
    )
    return f" {half[0].upper()}M" + ("." if closes else "")


def _duration(match: re.Match[str]) -> str:
    """``2h 5m 3s`` -> ``two hours five minutes three seconds``."""
    parts = [(match["h"], "hour"), (match["min"], "minute"), (match["s"], "second")]
    return " ".join(f"{cardinal(n)} {unit}{'' if n == '1' else 's'}" for n, unit in parts if n)


def _minutes_ratio(match: re.Match[str]) -> str:
    """``2:1`` -> ``two to one``."""
    return f"{cardinal(match['a'])} to {cardinal(match['b'])}"


ANY_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}"
DAY_FOLLOWS = re.compile(rf",?\s(?:{ANY_MONTH}|\d)|\s?(?:-|–|&|to|through|and)\s?{ANY_DAY}(?![a-z])")
DAY_PRECEDES = re.compile(rf"(?<![A-Za-z]){ANY_DAY}\.?\s?(?:-|–|&|to|through|and)\s?$")
_ALL_DAYS = "|".join(sorted(WEEKDAYS, key=len, reverse=True))
_ALL_MONTHS = "|".join(sorted(SHORT_MONTHS, key=len, reverse=True))
_HALF = r"(?:\s?(?P<half>[AaPp]\.?\s?[Mm])\b\.?)"
_NOT_IN_NUMBER = r"(?![\d/]|[.,:]\d)"

DATE_AND_TIME_RULES = (
    Rule(
        re.compile(
            rf"(?P<y>\d{{4}})([-/.])(?P<m>\d{{1,2}})\2(?P<d>\d{{1,2}})(?P<t>T(?=\d\d:))?{_NOT_IN_NUMBER}"
        ),
        _iso_date,
    ),
    Rule(
        re.compile(
            rf"(?P<a>\d{{1,2}})(?P<mark>[/.-])(?P<b>\d{{1,2}})(?P=mark)(?P<y>\d{{4}}|(?<=/)\d\d){_NOT_IN_NUMBER}"
        ),
        _slashed_date,
    ),
    Rule(re.compile(rf"(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}}){_NOT_IN_NUMBER}"), _short_date),
    Rule(re.compile(rf"(?P<h>\d{{1,2}}):(?P<min>[0-5]\d)(?::(?P<s>[0-5]\d))?(?!\d){_HALF}?"), _clock),
    Rule(re.compile(r"(?P<h>[01]\d|2[0-4])(?P<min>[0-5]\d)(?=\s?(?:hours|hrs)(?![a-z]))"), _military),
    Rule(re.compile(rf"(?P<h>\d{{1,2}})(?!\d){_HALF}"), _hour),
)
YEAR_RULES = (
    Rule(
        re.compile(r"(?P<h>\d{1,3})\s?h\s?(?P<min>\d\d?)\s?m(?:in)?(?:\s?(?P<s>\d\d?)\s?s)?(?![A-Za-z\d])"),
        _duration,
    ),
    Rule(re.compile(r"(?P<a>\d{1,3}):(?P<b>\d{1,3})(?![\d:])"), _minutes_ratio),
    Rule(re.compile(r"(?P<d>\d{1,4})\s?(?P<era>BCE?|B\.C\.(?:E\.)?)(?![A-Za-z])"), _ancient_year),
    Rule(re.compile(r"(?P<d>\d{3}0|\d0)'?s(?![A-Za-z])"), _decade),
    Rule(
        re.compile(rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?=\s(?:{ANY_MONTH})\b)(?!\sMay\s+[a-z])"),
        _day_before_month,
    ),
    Rule(
        re.compile(r"(?P<d>\d{1,2})(?:st|nd|rd|th)?(?:\s?[-–]\s?(?P<e>\d{1,2}))?(?![\d%/:A-Za-z]|[.,]\d)"),
        _day_after_month,
    ),
    Rule(re.compile(r"(?P<a>\d{4})\s?[-–]\s?(?P<b>\d{4}|\d\d)(?![\d%/:A-Za-z-]|[.,]\d)"), _year_range),
    Rule(
        re.compile(
            r"(?P<y>[1-9]\d{3})(?:\s?(?P<era>CE|AD|A\.D\.)(?![A-Za-z]))?(?![\d%/:A-Za-z]|[.,]\d|\s?[°%])"
        ),
        _year,
    ),
)
APOSTROPHE_RULES = (
    Rule(re.compile(r"'(?P<d>\d0)s(?![A-Za-z])"), _decade),
    Rule(re.compile(r"'(?P<d>\d\d)(?![\dA-Za-z])"), _short_year),
)
LETTER_RULES = (
    Rule(re.compile(r"(?P<half>[AP])M\s?(?P<h>1[0-2]|\d):(?P<m>[0-5]\d)(?!\d)"), _half_first),
    Rule(re.compile(rf"(?P<m>{_ALL_MONTHS})(?![a-z])(?P<dot>\.?)"), _month),
    Rule(re.compile(rf"(?P<w>{_ALL_DAYS})(?![a-z])(?P<dot>\.?)"), _weekday),
)
