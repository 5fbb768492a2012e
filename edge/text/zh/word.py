"""A Chinese word on its way from dictionary to phonemes."""

from __future__ import annotations

from dataclasses import dataclass

from .dictionary import LISTED


@dataclass
class ChineseWord:
    """One segmented word; the passes over a clause change its syllables in place.

    Attributes:
        text: Han characters, simplified.
        syllables: pinyin with tone digit, one per character.
        pos: part of speech, one letter (see ``chinese_dictionary.Entry``).
        is_fixed: True where the show's lexicon gave the reading, which no rule may change.
        trust: how sure the dictionary's reading is (see ``dictionary.Entry``).
    """

    text: str
    syllables: list[str]
    pos: str
    is_fixed: bool = False
    trust: int = LISTED


def tone(syllable: str) -> str:
    """The tone digit, 1 to 5; empty for a character without a reading."""
    return syllable[-1:]


def with_tone(syllable: str, digit: str) -> str:
    """The same syllable in another tone."""
    return syllable and syllable[:-1] + digit
