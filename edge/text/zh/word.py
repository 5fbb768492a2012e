"""A Chinese word on its way from dictionary to phonemes."""

from __future__ import annotations

from dataclasses import dataclass

from .dictionary import LISTED


@dataclass
class ChineseWord:
    """One segmented word; the passes over a clause change its syllables in place."""

    text: str
    """Han characters, simplified."""
    syllables: list[str]
    """Pinyin with tone digit, one per character."""
    pos: str
    """Part of speech, one letter (see ``chinese_dictionary.Entry``)."""
    is_fixed: bool = False
    """True where the show's lexicon gave the reading, which no rule may change."""
    trust: int = LISTED
    """How sure the dictionary's reading is (see ``dictionary.Entry``)."""


def tone(syllable: str) -> str:
    """The tone digit, 1 to 5; empty for a character without a reading."""
    return syllable[-1:]


def with_tone(syllable: str, digit: str) -> str:
    """The same syllable in another tone."""
    return syllable and syllable[:-1] + digit
