"""Numbers in English words, American usage: no "and" inside, "oh" for a zero between two pairs of digits."""

from __future__ import annotations

import re

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = ("", " thousand", " million", " billion", " trillion", " quadrillion")
MAX_CARDINAL_DIGITS = 3 * len(SCALES)  # longer numbers are read digit by digit
IRREGULAR_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
WELL_FORMED_ROMAN = re.compile(r"C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})$")
LARGEST_NAMED_DENOMINATOR = 100  # beyond it a fraction is read "n over d"


def cardinal(digits: str) -> str:
    """``1234`` -> ``one thousand two hundred thirty-four``; long ones and leading zeros digit by digit."""
    if len(digits) > MAX_CARDINAL_DIGITS or (len(digits) > 1 and digits[0] == "0"):
        return spell_digits(digits)
    value = int(digits)
    if value == 0:
        return ONES[0]
    parts = []
    for power in range(len(SCALES) - 1, -1, -1):
        group = value // 1000**power % 1000
        if group:
            parts.append(_below_thousand(group) + SCALES[power])
    return " ".join(parts)


def _below_thousand(value: int) -> str:
    """1..999 in words."""
    hundreds, rest = divmod(value, 100)
    parts = [ONES[hundreds] + " hundred"] if hundreds else []
    if rest:
        parts.append(_below_hundred(rest))
    return " ".join(parts)


def _below_hundred(value: int) -> str:
    """0..99 in words."""
    if value < 20:
        return ONES[value]
    tens, ones = divmod(value, 10)
    return TENS[tens] + ("-" + ONES[ones] if ones else "")


def spell_digits(digits: str, zero: str = "zero") -> str:
    """``401`` -> ``four zero one``; characters that are no digits are left out."""
    return " ".join(zero if digit == "0" else ONES[int(digit)] for digit in digits if digit.isdecimal())


def ordinal(digits: str) -> str:
    """``22`` -> ``twenty-second``."""
    words = cardinal(digits)
    head, separator, last = _split_last(words)
    if last in IRREGULAR_ORDINALS:
        return head + separator + IRREGULAR_ORDINALS[last]
    if last.endswith("y"):
        return head + separator + last[:-1] + "ieth"
    return head + separator + last + "th"


def _split_last(words: str) -> tuple[str, str, str]:
    """Everything before the last word, the space or hyphen, the last word."""
    position = max(words.rfind(" "), words.rfind("-"))
    return (words[:position], words[position], words[position + 1 :]) if position >= 0 else ("", "", words)


def pairs(digits: str) -> str:
    """Two digits at a time, as years, rooms, flights and model numbers are read.

    ``1984`` -> ``nineteen eighty-four``, ``401`` -> ``four oh one``, ``2000`` -> ``two thousand``, ``370`` ->
    ``three seventy``; other lengths than 1 to 4 digits go digit by digit.
    """
    if len(digits) <= 2:
        return cardinal(digits)
    if len(digits) > 4 or digits[0] == "0":
        return spell_digits(digits)
    if digits.endswith("000"):
        return cardinal(digits)
    head, tail = cardinal(digits[:-2]), digits[-2:]
    if tail == "00":
        return head + " hundred"
    return f"{head} oh {ONES[int(tail)]}" if tail[0] == "0" else f"{head} {cardinal(tail)}"


def year(digits: str) -> str:
    """``2005`` -> ``two thousand five``, ``1905`` -> ``nineteen oh five``, ``1984`` -> in pairs."""
    if len(digits) == 4 and digits[1:3] == "00" and digits[0] != "0":
        return cardinal(digits)
    return pairs(digits) if len(digits) == 4 else cardinal(digits)


def plural(words: str) -> str:
    """``nineteen ninety`` -> ``nineteen nineties``, ``one third`` -> ``one thirds``."""
    if words.endswith("y") and words[-2] not in "aeiou":
        return words[:-1] + "ies"
    return words + ("es" if words.endswith(("x", "s", "ch", "sh")) else "s")


def decimal(number: str) -> str:
    """``3.14`` -> ``three point one four``, ``.5`` -> ``point five``; grouping commas may stand in it."""
    whole, point, fraction = number.replace(",", "").partition(".")
    words = cardinal(whole) if whole else ""
    return (words + (" point " + spell_digits(fraction) if point else "")).strip()


def fraction(numerator: str, denominator: str) -> str:
    """``3``, ``4`` -> ``three quarters``; large denominators are read "over"."""
    bottom = int(denominator) if len(denominator) <= 3 else 0
    if not 2 <= bottom <= LARGEST_NAMED_DENOMINATOR:
        return f"{cardinal(numerator)} over {cardinal(denominator)}"
    name = {2: "half", 4: "quarter"}.get(bottom) or ordinal(denominator)
    if int(numerator) == 1:
        return "one " + name
    return f"{cardinal(numerator)} " + ("halves" if bottom == 2 else plural(name))


def roman_value(numeral: str) -> int | None:
    """Value of a well-formed Roman numeral of the letters I, V, X, L and C (below 400), else None."""
    if not numeral or not WELL_FORMED_ROMAN.match(numeral):
        return None
    values = [ROMAN_VALUES[letter] for letter in numeral]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )
