"""Numbers in Chinese words."""

from __future__ import annotations

import re

_DIGITS = "零一二三四五六七八九"
_GROUPS = ("", "万", "亿", "万亿")
_ROMAN = re.compile(r"(X{0,3})(IX|IV|V?I{0,3})")
_ROMAN_ONES = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
MAX_CARDINAL = 16  # digits; longer numbers are read digit by digit


def digits(text: str, one: str = "一") -> str:
    """Digit by digit: 2026 -> 二零二六; with ``one="幺"`` as on the telephone."""
    return "".join(one if c == "1" else _DIGITS[int(c)] for c in text if c.isdigit())


def cardinal(text: str) -> str:
    """A whole number: 10203 -> 一万零二百零三; leading zeros and very long numbers digit by digit."""
    if len(text) > MAX_CARDINAL or (len(text) > 1 and text[0] == "0"):
        return digits(text)
    value = int(text)
    if value == 0:
        return "零"
    groups = []
    while value:
        value, group = divmod(value, 10000)
        groups.append(group)
    words, has_gap = "", False
    for index in range(len(groups) - 1, -1, -1):
        if not groups[index]:
            has_gap = True
            continue
        needs_zero = bool(words) and (has_gap or groups[index] < 1000)
        words += ("零" if needs_zero else "") + _group(groups[index], not words) + _GROUPS[index]
        has_gap = False
    return "两" + words[1:] if words[0] == "二" and words[1:2] in ("万", "亿") else words


def number(text: str) -> str:
    """A number with or without decimals, thousands separators allowed: 1,299.50 -> 一千两百九十九点五零."""
    whole, point, decimals = text.replace(",", "").partition(".")
    words = cardinal(whole or "0")
    return words + ("点" + digits(decimals) if point and decimals else "")


def amount(text: str) -> str:
    """A number of money: zeros at the end of the decimals are not said."""
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    return number(f"{whole}.{decimals}" if decimals else whole)


def _group(value: int, is_first: bool) -> str:
    """A number below 10,000; 二 before 百 and 千 is said 两, a leading 一十 is said 十."""
    words, has_gap = "", False
    for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, power)
        if not digit:
            has_gap = bool(words)
            continue
        words += "零" if has_gap else ""
        words += "两" if digit == 2 and power >= 100 else _DIGITS[digit]
        words += unit
        has_gap = False
    return words[1:] if is_first and words.startswith("一十") else words


def roman_value(numeral: str) -> int | None:
    """Value of a well-formed Roman numeral below 40, else None."""
    match = _ROMAN.fullmatch(numeral)
    return len(match[1]) * 10 + _ROMAN_ONES.index(match[2]) if match and numeral else None
