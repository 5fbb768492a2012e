"""Cleaning: what cannot be spoken goes, width variants fold, every character keeps its source position."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from .exponents import exponents

# Marks whose compatibility form says less: 「…」 would become three full stops, 「，」 a grouping comma.
_DOTS = ".。…"
_KEEP = frozenset("…‥，：；！？。．（）［］｛｝、～｜²³½⅓⅔¼¾")
# Signs with a number inside: Ⅳ -> 4, ① -> 1 and a space, so that ①② is not twelve.
_NUMBERED = {chr(0x2460 + n): f"{n + 1} " for n in range(20)}
_NUMBERED |= {chr(0x2160 + n): str(n + 1) for n in range(12)} | {
    chr(0x2170 + n): str(n + 1) for n in range(12)
}
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Me", "So", "Sk"})
_KEPT_SYMBOLS = frozenset("°©®™№℃℉")


@dataclass(frozen=True)
class CleanText:
    """Text that the readers understand."""

    text: str
    """Cleaned characters."""
    positions: tuple[int, ...]
    """Index in the original text of each character of ``text``, non-decreasing."""


def clean(text: str) -> CleanText:
    """Drop control, zero-width, direction and emoji characters; fold full-width letters and digits.

    Dots in a row become one …, which is what they are said as in every language.
    """
    characters: list[str] = []
    positions: list[int] = []
    raised = exponents(text)
    for start, cluster in _clusters(text):
        for character in raised.get(start) or _fold(cluster):
            if character in _DOTS and characters and characters[-1] in (character, "…"):
                characters[-1] = "…"
                continue
            characters.append(character)
            positions.append(start)
    return CleanText("".join(characters), tuple(positions))


def _clusters(text: str) -> list[tuple[int, str]]:
    """Each character together with the marks that combine with it (accents, kana voicing)."""
    clusters: list[tuple[int, str]] = []
    for index, character in enumerate(text):
        joins = unicodedata.combining(character) or character in "ﾞﾟ"
        if joins and clusters:
            start, cluster = clusters[-1]
            # A stack of accents longer than this is decoration; composing it costs quadratic time.
            if len(cluster) < 4:
                clusters[-1] = (start, cluster + character)
        else:
            clusters.append((index, character))
    return clusters


def _fold(cluster: str) -> str:
    if cluster.isascii() and cluster.isprintable():
        return cluster
    if cluster in "\n\r\t\v\f\u2028\u2029":
        return " " if cluster == "\t" else "\n"
    if cluster in _KEEP or cluster in _KEPT_SYMBOLS:
        return cluster
    if cluster in _NUMBERED:
        return _NUMBERED[cluster]
    if cluster in "─━":
        return "—"  # as novels write a dash
    if cluster in "○◯":
        return "〇"  # ○八年: zero
    folded = unicodedata.normalize("NFKC", cluster)
    return "".join(
        c for c in folded if c in _KEPT_SYMBOLS or unicodedata.category(c) not in _DROPPED_CATEGORIES
    )
