"""What a recogniser wrote, held against what was said: as it is written, and as it is read.

A recogniser may write Chinese in traditional characters, Japanese words in kana, and numbers in digits, and
be right. So both sides go through our own front end, and what counts are words (English), syllables with and
without their tones (Chinese) and morae (Japanese); characters are reported beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from edge.errors import TextError
from edge.spec import ZERO_LENGTH_SYMBOLS
from edge.text import FrontEnd
from edge.text.symbols import PUNCTUATION

from ..edit_distance import edit_distance
from .listener import require
from .tones import is_rime

WORDS, CHARACTERS = "words", "characters"
SYLLABLES, TONED = "syllables", "toned syllables"
MORAE = "morae"

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_CHARACTER = re.compile(r"[a-z']+|[^\W_]")
_VOWELS = frozenset("aiueo")
_SILENT = frozenset(PUNCTUATION) | set(ZERO_LENGTH_SYMBOLS)


@dataclass(frozen=True)
class Errors:
    """Errors over a set of lines."""

    errors: int
    """Substitutions, deletions and insertions."""
    units: int
    """Said."""

    @property
    def percent(self) -> float:
        """Error rate, 0 to above 100."""
        return 100.0 * self.errors / self.units if self.units else float("nan")

    def __add__(self, other: Errors) -> Errors:
        return Errors(self.errors + other.errors, self.units + other.units)


def compare(said: str, heard: str, language: str) -> dict[str, Errors]:
    """Count the errors of a transcript.

    Args:
        said: text of the line.
        heard: what the recogniser wrote; may be empty.
        language: ``zh``, ``en`` or ``ja``.

    Returns:
        By kind of unit: ``words`` for English; ``characters``, ``syllables`` and ``toned syllables`` for
        Chinese; ``characters`` and ``morae`` for Japanese.
    """
    ours, theirs = (_units(_unified(text, language), language) for text in (said, heard))
    return {
        kind: Errors(edit_distance(units, theirs.get(kind, ())), len(units)) for kind, units in ours.items()
    }


def add_up(rows: Sequence[dict[str, Errors]]) -> dict[str, Errors]:
    """Add the errors of several lines up, by kind of unit."""
    kinds = dict.fromkeys(kind for row in rows for kind in row)
    return {kind: sum((row[kind] for row in rows if kind in row), Errors(0, 0)) for kind in kinds}


def _units(text: str, language: str) -> dict[str, Sequence[str]]:
    try:
        reading = _front_end().read(text, language)
    except TextError:  # nothing to say in it: a recogniser may hear only noise
        return {}
    written = reading.normalized.lower().replace("’", "'")
    if language == "en":
        return {WORDS: _WORD.findall(written.replace("-", " "))}
    spoken = [symbol for symbol in reading.phonemes if symbol not in _SILENT]
    characters = _CHARACTER.findall(written)
    if language == "ja":
        return {CHARACTERS: characters, MORAE: list(morae(spoken))}
    toned = list(syllables(spoken))
    return {CHARACTERS: characters, SYLLABLES: [s.rstrip("12345") for s in toned], TONED: toned}


def syllables(phonemes: Sequence[str]) -> Iterator[str]:
    """Join onsets and rimes of Mandarin; an English sound between them stands for itself."""
    onset = ""
    for symbol in phonemes:
        if is_rime(symbol):
            yield onset + symbol
            onset = ""
            continue
        if onset:
            yield onset
        onset = symbol
    if onset:
        yield onset


def morae(phonemes: Sequence[str]) -> Iterator[str]:
    """Join consonants and vowels of Japanese; devoiced vowels are vowels, N and cl stand for themselves."""
    onset = ""
    for symbol in phonemes:
        vowel = symbol.lower()
        if vowel in _VOWELS:
            yield onset + vowel
            onset = ""
            continue
        if onset:
            yield onset
        onset = symbol
        if symbol in ("N", "cl"):
            yield symbol
            onset = ""
    if onset:
        yield onset


def require_simplifier() -> None:
    """Find out whether Chinese can be compared.

    Raises:
        MissingEarError: OpenCC is not installed.
    """
    require("opencc", "opencc")


def _unified(text: str, language: str) -> str:
    return _simplifier().convert(text) if language == "zh" else text


@cache
def _simplifier() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


@cache
def _front_end() -> FrontEnd:
    return FrontEnd()
