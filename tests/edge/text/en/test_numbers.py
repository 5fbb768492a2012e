from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.text.en.numbers import (
    cardinal,
    decimal,
    fraction,
    ordinal,
    pairs,
    plural,
    roman_value,
    spell_digits,
    year,
)

num2words = pytest.importorskip("num2words").num2words


@given(st.integers(0, 10**18 - 1))
def test_cardinal_agrees_with_num2words(value: int) -> None:
    assert cardinal(str(value)) == num2words(value).replace(" and ", " ").replace(",", "")


@given(st.integers(0, 10**9))
def test_ordinal_agrees_with_num2words(value: int) -> None:
    assert ordinal(str(value)) == num2words(value, to="ordinal").replace(" and ", " ").replace(",", "")


def test_long_numbers_and_leading_zeros_go_digit_by_digit() -> None:
    assert cardinal("1" * 19) == " ".join(["one"] * 19)
    assert cardinal("007") == "zero zero seven"
    assert spell_digits("401", zero="oh") == "four oh one"


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("7", "seven"), ("42", "forty-two"), ("401", "four oh one"), ("415", "four fifteen"),
        ("500", "five hundred"), ("1984", "nineteen eighty-four"), ("1204", "twelve oh four"),
        ("2000", "two thousand"), ("1100", "eleven hundred"), ("90210", "nine zero two one zero"),
    ],
)  # fmt: skip
def test_pairs(digits: str, words: str) -> None:
    assert pairs(digits) == words


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("1066", "ten sixty-six"), ("1900", "nineteen hundred"), ("1905", "nineteen oh five"),
        ("2000", "two thousand"), ("2005", "two thousand five"), ("2010", "twenty ten"),
        ("476", "four hundred seventy-six"),
    ],
)  # fmt: skip
def test_year(digits: str, words: str) -> None:
    assert year(digits) == words


def test_decimals_fractions_and_plurals() -> None:
    assert decimal("1,299.05") == "one thousand two hundred ninety-nine point zero five"
    assert decimal(".5") == "point five"
    assert fraction("1", "2") == "one half"
    assert fraction("3", "2") == "three halves"
    assert fraction("7", "1000") == "seven over one thousand"
    assert plural(year("1990")) == "nineteen nineties"
    assert plural("six") == "sixes"


@given(st.integers(1, 399))
def test_roman_numerals_read_back(value: int) -> None:
    numeral, rest = "", value
    for letters, worth in [
        ("C", 100),
        ("XC", 90),
        ("L", 50),
        ("XL", 40),
        ("X", 10),
        ("IX", 9),
        ("V", 5),
        ("IV", 4),
        ("I", 1),
    ]:
        while rest >= worth:
            numeral, rest = numeral + letters, rest - worth
    assert roman_value(numeral) == value


@pytest.mark.parametrize("word", ["", "IIII", "VX", "IC", "MIX", "CIVIL", "vi"])
def test_words_that_are_no_roman_numerals(word: str) -> None:
    assert roman_value(word) is None
