"""Spans and tokens: what a language reader takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Span:
    """A piece of written-out text and the part of the source that it stands for."""

    text: str
    """As it will be read, e.g. ``三点五`` for ``3.5``."""
    start: int
    """Index of the first source character."""
    end: int
    """Index after the last source character."""


@dataclass(frozen=True)
class Token:
    """A word or a punctuation mark with its phonemes."""

    text: str
    """The word as spoken."""
    phonemes: tuple[str, ...]
    """Symbols of the inventory."""
    start: int
    """Index of its first source character."""
    end: int
    """Index after its last source character."""
    is_word: bool = True
    """False for punctuation and prosody marks."""
    char_counts: tuple[int, ...] = ()
    """Phonemes per source character (Chinese only, else empty); sums to ``len(phonemes)``."""


class LanguageReader(Protocol):
    """Reads text of one language."""

    language: str

    def normalize(self, text: str, before: str = "", after: str = "") -> list[Span]:
        """Write out numbers, dates, money, units and abbreviations; spans cover ``text`` in order.

        Args:
            text: one piece of a line, all in this language.
            before: what precedes it in the line, for signs whose reading depends on that.
            after: what follows it.
        """

    def read(self, spans: Sequence[Span], lexicon: Mapping[str, tuple[str, ...]]) -> list[Token]:
        """Turn normalised spans into words with phonemes; lexicon entries win over every other rule."""

    def warm_up(self) -> None:
        """Load dictionaries now, so that the first line is as fast as the next."""
