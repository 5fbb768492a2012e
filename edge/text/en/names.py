"""Model numbers, web addresses and other written names in English words."""

from __future__ import annotations

import re

from ..token import Span
from .context import Rule
from .numbers import cardinal, pairs, plural, spell_digits

TOP_LEVEL = frozenset(
    "com org net edu gov mil int io ai co uk us ca de fr jp cn tw hk kr eu au nz ch se no nl es it ru br mx "
    "in info biz app dev me tv fm ly gg xyz tech shop store site online blog cloud".split()
)
FILE_ENDINGS = frozenset(
    "txt pdf doc docx xls xlsx ppt pptx csv json xml html htm css js ts py md sh exe zip gz tar wav mp flac "
    "ogg avi mov mkv jpg jpeg png gif svg toml yaml yml ini cfg log onnx bin iso apk dmg msi jar rs cpp java "
    "php sql bak".split()
)
SPOKEN_ENDINGS = frozenset(
    "com co org net info biz app dev me tech shop store site online blog cloud zip log bin".split()
)
ADDRESS_SYMBOLS = {
    ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", ":": "colon", "?": "question mark",
    "=": "equals", "&": "and", "+": "plus", "%": "percent", "#": "hash", "~": "tilde",
}  # fmt: skip
_RUNS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^A-Za-z\d]")
_MODEL_RUNS = re.compile(r"[A-Za-z]+|\d+")
_LETTERED_WORDS = frozenset(
    "ad ah am an as at be by co do go he hi if in is it me my no of on or so to up us we".split()
)
MAX_ADDRESS = 400  # characters of one address that are read


def _address(match: re.Match[str]) -> str:
    """``a@b.com`` -> ``A at B dot com``; the scheme is not read."""
    text = re.sub(r"^(?:https?|ftp)://", "", match.group()[:MAX_ADDRESS], flags=re.IGNORECASE).rstrip("/")
    words = []
    runs = _RUNS.findall(text)
    for index, run in enumerate(runs):
        if run.isdecimal():
            words.append(pairs(run))
        elif run.isalpha():
            after_dot = index > 0 and runs[index - 1] == "."
            words.append(_address_word(run, after_dot))
        elif run in ADDRESS_SYMBOLS:
            words.append(ADDRESS_SYMBOLS[run])
    return " ".join(words)


def _address_word(run: str, after_dot: bool) -> str:
    """Short endings are spelled (``U K``, ``P D F``), everything else is left to the reader."""
    lower = run.lower()
    if lower == "www" or len(run) == 1:
        return " ".join(run.upper())
    if after_dot and (lower in TOP_LEVEL or lower in FILE_ENDINGS) and lower not in SPOKEN_ENDINGS:
        return run if len(lower) > 3 else run.upper()
    return run


def _domain(match: re.Match[str]) -> str | None:
    """``example.com``, ``notes.txt``: only with a known ending, so that "end.next" stays two sentences."""
    ending = match["ending"]
    if ending not in TOP_LEVEL and ending not in FILE_ENDINGS:
        return None
    if ending in {"in", "no", "it", "me", "us", "is", "so", "to"} and not match["path"]:
        return None
    return _address(match)


def _model(match: re.Match[str]) -> list[Span] | None:
    """``MP3`` -> ``MP three``, ``COVID-19`` -> ``COVID nineteen``, ``1080p`` -> ``ten eighty P``."""
    spans: list[Span] = []
    begin = match.start()
    for run in _MODEL_RUNS.finditer(match.group()):
        words = run.group()
        if words.isdecimal():
            words = model_number(words)
        elif len(words) <= 2 and words != "s":
            words = words.upper()
            if words.lower() in _LETTERED_WORDS:  # CO2: a word would be said
                spans.append(Span(" " + words[0], begin + run.start(), begin + run.start() + 1))
                spans.append(Span(" " + words[1], begin + run.start() + 1, begin + run.end()))
                continue
        gap = " " if spans and words != "s" else ""
        spans.append(Span(gap + words, begin + run.start(), begin + run.end()))
    return _join_gaps(spans, match.end())


def _join_gaps(spans: list[Span], end: int) -> list[Span]:
    """Let every span reach to the next, hyphens included; a plural s joins what it follows."""
    joined: list[Span] = []
    for span in spans:
        if span.text == "s" and joined:
            joined[-1] = Span(plural(joined[-1].text), joined[-1].start, span.end)
        else:
            joined.append(span)
    starts = [span.start for span in joined[1:]] + [end]
    return [Span(span.text, span.start, stop) for span, stop in zip(joined, starts, strict=True)]


def model_number(digits: str) -> str:
    """A number inside a name: in pairs up to four digits, else digit by digit."""
    if digits[0] == "0" and len(digits) > 1:
        return spell_digits(digits)
    return cardinal(digits) if len(digits) < 3 else pairs(digits)


def _hash_tag(match: re.Match[str]) -> str:
    runs = re.findall(r"\d+|[^\W\d_]+", match["tag"])
    return "hashtag " + " ".join(model_number(run) if run.isdecimal() else run for run in runs)


def _letter_symbol(match: re.Match[str]) -> str:
    """``C++`` -> ``C plus plus``, ``F#`` -> ``F sharp``."""
    return match["l"] + {"++": " plus plus", "#": " sharp", "+": " plus"}[match["s"]]


def _initials(match: re.Match[str]) -> list[Span]:
    """``AT&T`` -> ``A`` ``T`` ``and`` ``T``."""
    start = match.start()
    return [
        Span((" " if place else "") + ("and" if letter == "&" else letter), start + place, start + place + 1)
        for place, letter in enumerate(match.group())
    ]


def _power(match: re.Match[str]) -> list[Span]:
    """``mc²`` -> ``M`` ``C`` ``squared``."""
    start, end = match.span("letters")
    letters = [
        Span(" " + letter.upper(), start + i, start + i + 1) for i, letter in enumerate(match["letters"])
    ]
    return [*letters, Span(" squared" if match["power"] == "²" else " cubed", end, match.end())]


def _world_war(match: re.Match[str]) -> str:
    return "World War " + ("two" if match["n"] in {"II", "2"} else "one")


def _without(match: re.Match[str]) -> str:
    return {"w/o": "without", "w/": "with ", "b/c": "because"}[match.group().lower()]


EMAIL_RULE = Rule(
    re.compile(r"[A-Za-z0-9][\w.%+-]{0,63}@[A-Za-z0-9][A-Za-z0-9-]{0,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"),
    _address,
)
_LEVEL = r"(?:L[Vv]|lv|Lvl|LVL|lvl)\.?\s?"
LEVEL_AT_END = re.compile(rf"(?<![A-Za-z]){_LEVEL}$")
LETTER_RULES = (
    EMAIL_RULE,
    Rule(re.compile(_LEVEL + r"(?=\d)"), lambda _: "level "),
    Rule(re.compile(r"(?:https?://|ftp://|www\.)[^\s<>\"']*[^\s<>\"'.,!?;:)…]", re.IGNORECASE), _address),
    Rule(
        re.compile(
            r"[A-Za-z0-9][\w-]{0,63}(?:\.[A-Za-z0-9][\w-]{0,63}){0,6}\.(?P<ending>[a-z]{2,6})(?![A-Za-z0-9'])"
            r"(?P<path>/[^\s<>\"']*[^\s<>\"'.,!?;:)…])?"
        ),
        _domain,
    ),
    Rule(re.compile(r"[A-Z]{1,3}&[A-Z]{1,2}(?![A-Za-z])"), _initials),
    Rule(re.compile(r"(?P<letters>[A-Za-z]{1,3})(?P<power>[²³])(?!\w)"), _power),
    Rule(re.compile(r"WW(?P<n>II|I|2|1)(?![A-Za-z0-9])"), _world_war),
    Rule(re.compile(r"w/o|w/|b/c", re.IGNORECASE), _without),
    Rule(re.compile(r"(?P<l>[A-Z])(?P<s>\+\+|#|\+)(?![A-Za-z0-9+#])"), _letter_symbol),
    Rule(
        re.compile(
            r"[A-Za-z]{1,20}\d[A-Za-z0-9]{0,30}(?:-[A-Za-z]{0,3}\d[A-Za-z0-9]{0,8}){0,4}(?![A-Za-z0-9])"
        ),
        _model,
    ),
    Rule(
        re.compile(
            r"[A-Z][A-Za-z]{0,14}-\d{1,6}(?![:/\d]|[.,]\d)[A-Za-z]{0,3}(?:-\d{1,5}[A-Za-z]{0,2})?(?![A-Za-z0-9])"
        ),
        _model,
    ),
)
DIGIT_MODEL_RULE = Rule(
    re.compile(r"\d{1,8}[A-Za-z][A-Za-z0-9]{0,30}(?:-[A-Za-z]{0,3}\d[A-Za-z0-9]{0,8}){0,4}(?![A-Za-z0-9])"),
    _model,
)
# .NET, .exe: not the full stop before a sentence.
LEADING_DOT_RULE = Rule(re.compile(r"(?<![^\s(])\.(?=(?:[A-Z]{2,6}(?![A-Za-z])|[a-z]))"), lambda _: "dot ")
HASH_RULES = (Rule(re.compile(r"#(?P<tag>[A-Za-z]\w{0,60})"), _hash_tag),)
