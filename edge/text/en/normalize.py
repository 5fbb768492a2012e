"""English written out: what is left are words, spelled letters in capitals, and punctuation."""

from __future__ import annotations

import re
import unicodedata

from ..token import Span
from . import abbreviations, dates, maths, names, places, quantities
from .context import Rule, next_word
from .units import CURRENCIES

# One character for one character, so that positions stay.
_ONE_TO_ONE = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "ʼ": "'",
        "′": "'",
        "`": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "«": '"',
        "»": '"',
        "″": '"',
    }
    | {
        "\u00a0": " ",
        "\u2009": " ",
        "\u202f": " ",
        "\u3000": " ",
        "\t": " ",
        "\r": " ",
        "\u200b": " ",
        "\ufeff": " ",
    }
    | {"‐": "-", "\u2011": "-", "‒": "–", "―": "—", "μ": "µ", "。": ".", "、": ","}
    | {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
)
_CANDIDATE = re.compile(r"[A-Za-z]+|\d|!==?|[^\sA-Za-z\d,!?;\")…]")
# A word alone needs a rule only if it is one of these or something is attached to it.
_ATTACHED = re.compile(r"[./+#:&²³^=≥≤≠≈÷×−\d]|-[\dA-Z]")
_TRIGGERS = (
    (
        abbreviations.BARE_WORDS
        | frozenset(abbreviations.NUMBERED)
        | frozenset(dates.SHORT_MONTHS)
        | frozenset(dates.WEEKDAYS)
    )
    | frozenset(code for code in CURRENCIES if code.isalpha())
    | frozenset(places.STATES)
    | {"US", "C", "A", "HK", "NT", "O", "Rs", "WWI", "WWII", "LV", "Lv", "lv", "Lvl", "LVL", "lvl"}
)
_ROMAN = frozenset("IVXLCM")
LETTER_RULES = (
    places.STATE_RULE,
    *maths.LETTER_RULES,
    *names.LETTER_RULES,
    *dates.LETTER_RULES,
    *quantities.CODE_RULES,
    *abbreviations.LETTER_RULES,
)
# From the most telling shape to the least: dates and times, addresses, telephone numbers, years, the rest.
DIGIT_RULES = (
    *dates.DATE_AND_TIME_RULES,
    *maths.SCIENTIFIC_RULES,
    names.EMAIL_RULE,
    *quantities.TELEPHONE_RULES,
    *dates.YEAR_RULES,
    *quantities.AMOUNT_RULES,
    names.DIGIT_MODEL_RULE,
    quantities.PLAIN_RULE,
)
GREEK = {
    letter: f" {name} "
    for letters, names in (
        ("αβγδεζηθικλ", "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda"),
        ("νξπρστφχψω", "nu xi pi rho sigma tau phi chi psi omega"),
        ("ΓΔΘΛΞΠΣΦΨΩ", "gamma delta theta lambda xi pi sigma phi psi omega"),
    )
    for letter, name in zip(letters, names.split(), strict=True)
}  # fmt: skip
BETWEEN_DIGITS = {
    "*": " times ", "×": " times ", "÷": " divided by ", "^": " to the power of ", "<": " less than ",
    ">": " greater than ", ":": " to ", "/": " over ",
}  # fmt: skip
SYMBOL_WORDS = {
    "&": " and ", "@": " at ", "=": " equals ", "%": " percent", "≈": " approximately ",
    "±": " plus or minus ", "≤": " less than or equal to ", "≥": " greater than or equal to ",
    "≠": " not equal to ", "÷": " divided by ", "√": " the square root of ", "∞": " infinity ",
    "!=": " is not equal to ", "==": " equals ", "===": " equals ", "!==": " is not equal to ",
    "<=": " less than or equal to ", ">=": " greater than or equal to ", "°": " degrees",
    "§": " section ", "№": " number ", "€": " euros", "£": " pounds", "¥": " yen",
    "¢": " cents", "∑": " the sum ", "∫": " the integral ", "∏": " the product ",
    "→": " to ", "−": " minus ", "²": " squared", "³": " cubed",
} | GREEK  # fmt: skip
PER_WORDS = frozenset("day week month year hour minute second night person capita item unit".split())


class Writer:
    """Collects spans in order and keeps words apart that replacing brought together."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.done = 0
        self.spans: list[Span] = []

    def copy_until(self, end: int) -> None:
        """Take the source as it stands up to ``end``."""
        if end > self.done:
            self._append(self.text[self.done : end], self.done, end)

    def replace(self, words: str, start: int, end: int) -> None:
        """Say ``words`` for the source between ``start`` and ``end``."""
        self.copy_until(start)
        if self.spans and self.spans[-1].text[-1:] == " ":
            words = words.lstrip()
        if self.text[end : end + 1] == " ":
            words = words.rstrip()
        self._append(words, start, end)

    def _append(self, words: str, start: int, end: int) -> None:
        last = self.spans[-1].text[-1:] if self.spans else ""
        if last.isalnum() and words[:1].isalnum():
            self._pad()
        self.spans.append(Span(words, start, end))
        self.done = end

    def _pad(self) -> None:
        """Add a space to the span before; behind it if it is a letter, which is told by standing alone."""
        before = self.spans[-1]
        if len(before.text) == 1:
            self.spans.append(Span(" ", before.end, before.end))
        else:
            self.spans[-1] = Span(before.text + " ", before.start, before.end)


def normalize(text: str, after: str = "") -> list[Span]:
    """Write out everything that is not words or punctuation; the spans cover ``text`` in order.

    Args:
        text: one piece of a line.
        after: what follows in another language; a digit tells that LV is a level.
    """
    text = text.translate(_ONE_TO_ONE)
    level = names.LEVEL_AT_END.search(text) if after.lstrip()[:1].isdecimal() else None
    end = level.start() if level else len(text)
    writer = Writer(text)
    position = 0
    while (found := _CANDIDATE.search(text, position)) and found.start() < end:
        position = _rewrite(writer, found)
    if level:
        writer.replace("level ", end, len(text))
    writer.copy_until(len(text))
    return writer.spans


def _rewrite(writer: Writer, found: re.Match[str]) -> int:
    """Apply the first rule that fits at a candidate; gives the position behind it."""
    for rule in _rules_for(found):
        match = rule.pattern.match(found.string, found.start())
        words = rule.write(match) if match and match.end() > match.start() else None
        if match is None or words is None:
            continue
        if isinstance(words, str):
            writer.replace(words, match.start(), match.end())
        else:
            for span in words:
                writer.replace(span.text, span.start, span.end)
        return match.end()
    return found.end()


def _rules_for(found: re.Match[str]) -> tuple[Rule, ...]:
    """The rules that may start at this candidate."""
    text, start, end = found.string, found.start(), found.end()
    first = text[start]
    if first.isascii() and first.isalpha():
        word = found.group()
        attached = _ATTACHED.match(text, end) or "@" in text
        return LETTER_RULES if attached or word in _TRIGGERS or _ROMAN.issuperset(word.upper()) else ()
    if first.isdecimal() and first.isascii():
        return DIGIT_RULES
    return SYMBOL_RULES.get(first, OTHER_RULES)


def _number_follows(text: str, position: int) -> bool:
    """Whether a digit stands at the position, behind a currency sign or a decimal point perhaps."""
    return re.match(r"[$€£¥]?\.?\d", text[position : position + 3]) is not None


def _dash(match: re.Match[str]) -> str | None:
    """A range, a minus sign, a hyphen, or a dash that stays one."""
    text, start, end = match.string, match.start(), match.end()
    if dates.DAY_PRECEDES.search(text[max(0, start - 12) : end]) and re.match(
        dates.ANY_DAY, text[end : end + 6]
    ):
        return " to "
    before = text[:start].rstrip(" ")[-1:] if start else ""
    spaced = text[start - 1 : start] in {" ", ""} if start else True
    if _number_follows(text, end):
        if before.isdecimal() or (
            (before and before in "%°$") or (before.isalpha() and not spaced and _ends_number(text, start))
        ):
            return " minus " if spaced and "=" in text else " to "
        if start == 0 or text[start - 1] in " (=<>[:,~":
            return "minus "
    if _ORDINAL_END.search(text[max(0, start - 4) : start]) and text[end : end + 1].isalpha():
        return " "  # 1st-class
    if match.group() == "-" and not spaced and text[end : end + 1].isalnum():
        return None if text[end].isalpha() and text[start - 1].isalpha() else " "
    ranged = text[end : end + 2].startswith(" ") and before.isdecimal() and _number_follows(text, end + 1)
    return (" minus" if "=" in text else " to") if ranged else None


_ORDINAL_END = re.compile(r"\d(?:st|nd|rd|th)$", re.IGNORECASE)


def _ends_number(text: str, position: int) -> bool:
    """Whether the letters before ``position`` are a unit behind a number: ``9am-5pm``."""
    return (
        re.search(r"(?:\d\s?[A-Za-z°]{1,4}|noon|midnight)$", text[max(0, position - 8) : position].lower())
        is not None
    )


def _plus(match: re.Match[str]) -> str:
    behind = match.string[match.end() : match.end() + 1]
    return " plus " if behind.isalnum() else " plus"


def _tilde(match: re.Match[str]) -> str:
    if not _number_follows(match.string, match.end()):
        return " "
    return " to " if match.string[: match.start()].rstrip()[-1:].isdecimal() else "about "


def _number_sign(match: re.Match[str]) -> str:
    return "number " if _number_follows(match.string, match.end()) else " "


def _slash(match: re.Match[str]) -> str:
    """``times/week`` -> ``times per week``; between words nothing is said."""
    before = match.string[: match.start()][-1:]
    if next_word(match) in PER_WORDS and (before.isdecimal() or before == "s"):
        return " per "
    return " "


def _between_digits(match: re.Match[str]) -> str | None:
    text, sign = match.string, match.group()
    before, behind = text[: match.start()].rstrip()[-1:], text[match.end() :].lstrip()[:1]
    spaced = text[match.end() : match.end() + 1] == " "
    if (
        (before.isdecimal() or before == ")")
        and (behind.isdecimal() or behind == "(")
        and not (sign == ":" and spaced)
    ):
        is_sum = sign == "/" and "=" in text[match.end() :]
        return " divided by " if is_sum else BETWEEN_DIGITS[sign]
    if sign in "<>" and _number_follows(text, match.end()) and not before.isalnum():
        return BETWEEN_DIGITS[sign]
    if sign in "<>×÷" and before.isalnum() and behind.isalnum():  # a > b
        return BETWEEN_DIGITS[sign]
    if sign == "/":
        return _slash(match)
    return None if sign == ":" else " "


def _symbol(match: re.Match[str]) -> str:
    words = SYMBOL_WORDS[match.group()]
    return words if match.end() < len(match.string) else words.rstrip()


def _dollar(match: re.Match[str]) -> str:
    return " dollars "


def _other(match: re.Match[str]) -> str | None:
    """Accented letters and punctuation stay; symbols and pictures are not read."""
    kind = unicodedata.category(match.group()[0])
    return None if kind[0] in "LMP" else " "


_ANY = re.compile(r".", re.DOTALL)
_SIGN_RULES = (Rule(re.compile(r"[!=]==?|[<>]=(?!=)|="), _symbol),)
_DASH_RULES = (Rule(re.compile(r"[-–]"), maths.minus_of_sum), Rule(re.compile(r"[-–]"), _dash))
OTHER_RULES = (Rule(_ANY, _other),)
SYMBOL_RULES: dict[str, tuple[Rule, ...]] = (
    {sign: (Rule(_ANY, _symbol),) for sign in SYMBOL_WORDS}
    | {sign: (*quantities.MONEY_RULES, Rule(_ANY, _symbol)) for sign in "€£¥−"}
    | {sign: (*quantities.MONEY_RULES, Rule(_ANY, _other)) for sign in "₩₹₽₿"}
    | dict.fromkeys(quantities.VULGAR, quantities.VULGAR_RULES)
    | {sign: (Rule(_ANY, _between_digits),) for sign in BETWEEN_DIGITS}
    | {"^": (*maths.POWER_RULES, Rule(_ANY, _between_digits))}
    | dict.fromkeys("!=", _SIGN_RULES)
    | dict.fromkeys("<>", (*_SIGN_RULES, Rule(_ANY, _between_digits)))
    | {
        "$": (*quantities.MONEY_RULES, Rule(_ANY, _dollar)),
        "-": quantities.MONEY_RULES + _DASH_RULES,
        "–": _DASH_RULES,
        "—": (),
        "(": quantities.PLUS_TELEPHONE_RULES,
        "+": (*quantities.TELEPHONE_RULES, Rule(_ANY, _plus)),
        "~": (Rule(_ANY, _tilde),),
        "#": (*names.HASH_RULES, Rule(_ANY, _number_sign)),
        "'": dates.APOSTROPHE_RULES,
        ".": (quantities.PLAIN_RULE, names.LEADING_DOT_RULE),
        "_": (Rule(re.compile("_+"), lambda _: " "),),
    }
)
