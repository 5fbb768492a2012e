from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.text.cleaning import clean


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ＡＢＣ１２３％", "ABC123%"),
        ("你好，世界！", "你好，世界！"),  # marks keep their width: 「，」 is no thousands separator
        ("……", "…"),
        ("等等...好。。。", "等等…好…"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("cafe\u0301", "café"),
        ("a\u200bb\u200d\u202ec\ufeff", "abc"),
        ("好😀的👨‍👩‍👧‍👦🇨🇳", "好的"),
        ("第Ⅳ章", "第4章"),
        ("①②", "1 2 "),
        ("10²和½", "10²和½"),
        ("a\tb\nc\r", "a b\nc\n"),
        ("\x00\x07", ""),
        ("25℃", "25℃"),
        ("\ue000\ud800", ""),
    ],
)
def test_characters_are_folded_or_dropped(text: str, expected: str) -> None:
    assert clean(text).text == expected


def test_positions_point_into_the_original() -> None:
    cleaned = clean("😀好\u200b①Ａ")
    assert cleaned.text == "好1 A"
    assert cleaned.positions == (1, 3, 3, 4)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("10⁻¹⁹", "10^-19"),
        ("x⁴", "x^4"),
        ("10²³个", "10^23个"),
        ("x²", "x²"),
        ("5m²", "5m²"),
        ("word¹", "word1"),
    ],
)
def test_raised_numbers(text: str, cleaned: str) -> None:
    assert clean(text).text == cleaned


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_positions_never_decrease(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned.text) == len(cleaned.positions)
    assert list(cleaned.positions) == sorted(cleaned.positions)
    assert all(position < len(text) for position in cleaned.positions)
    assert clean(cleaned.text).text == cleaned.text


def test_stacked_accents_take_no_time() -> None:
    started = time.process_time()
    assert len(clean("Z" + "\u0301\u0323" * 1000).text) < 10
    assert time.process_time() - started < 0.5
