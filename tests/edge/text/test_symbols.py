from __future__ import annotations

import hashlib
import json

import pytest

from edge.text.symbols import DATA, PUNCTUATION, SYMBOL_TO_ID, SYMBOLS, SYMBOLS_SHA256
from edge.text.zh.pinyin import pinyin_symbols, symbols_pinyin

SYLLABLES = json.loads((DATA / "pinyin.json").read_text(encoding="utf-8"))


def test_inventory_is_the_teachers() -> None:
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 732
    # The first 322 symbols are those of v1, in code-point order; what v2 added follows.
    assert list(SYMBOLS[:322]) == sorted(SYMBOLS[:322])
    assert SYMBOLS[322:324] == ("[", "]")
    assert SYMBOL_TO_ID["!"] == 0
    assert SYMBOL_TO_ID["…"] == 321


def test_hash_is_of_the_joined_symbols() -> None:
    """A bundle that stores another hash was made for another inventory, so this one never changes."""
    assert hashlib.sha256("\n".join(SYMBOLS).encode()).hexdigest() == SYMBOLS_SHA256
    assert SYMBOLS_SHA256 == "0771f6cd6f6201e8c2b0de921dc69cc04caf3f346c599d4a41413967d5674da7"


def test_punctuation_is_in_the_inventory() -> None:
    assert all(mark in SYMBOL_TO_ID for mark in (*PUNCTUATION, "SP", "[", "]"))


def test_every_syllable_in_every_tone_is_in_the_inventory() -> None:
    assert len(SYLLABLES) == 429
    for syllable in SYLLABLES:
        for tone in "12345":
            assert all(symbol in SYMBOL_TO_ID for symbol in pinyin_symbols(syllable + tone))


@pytest.mark.parametrize(
    ("syllable", "symbols"),
    [
        ("hao3", ("h", "ao3")),
        ("zhi1", ("zh", "ir1")),
        ("zi5", ("z", "i05")),
        ("ju4", ("j", "v4")),
        ("yan2", ("y", "En2")),
        ("ye3", ("y", "E3")),
        ("er4", ("EE", "er4")),
        ("an1", ("AA", "an1")),
    ],
)
def test_symbols_of_a_syllable(syllable: str, symbols: tuple[str, str]) -> None:
    assert pinyin_symbols(syllable) == symbols


def test_symbols_spell_their_syllable_again() -> None:
    for syllable in SYLLABLES:
        symbols = pinyin_symbols(syllable + "3")
        assert pinyin_symbols(symbols_pinyin(*symbols)) == symbols
    assert symbols_pinyin("j", "v4") == "ju4"


def test_unknown_syllable_is_refused() -> None:
    with pytest.raises(KeyError):
        pinyin_symbols("xyz1")
