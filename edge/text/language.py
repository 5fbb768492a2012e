"""Finds which language each part of a line is in."""

from __future__ import annotations

import re
from dataclasses import dataclass

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff々〇"
KANA = "\u3040-\u30ff\u31f0-\u31ff"
LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"

_RUN = re.compile(
    rf"(?P<han>[{HAN}]+)|(?P<kana>[{KANA}]+)|(?P<latin>[{LATIN}]+(?:['’][{LATIN}]+)*)|(?P<digits>\d+)|(?P<other>.)",
    re.DOTALL,
)
_CLAUSE_END = re.compile(r"[。！？!?\n]")
_ABBREVIATION = re.compile(r"[A-Z]{1,5}")
_BESIDE = re.compile(f"[{HAN}{KANA}]")


@dataclass(frozen=True)
class Piece:
    """Part of a line in one language: ``text[start:end]``."""

    language: str
    start: int
    end: int


def split_languages(text: str, language: str = "auto") -> list[Piece]:
    """Cut a line into pieces of one language each; they cover the line without gaps.

    Args:
        text: the line.
        language: ``auto``, or the language of everything that is not written in Latin letters.
    """
    han = language if language in ("zh", "ja") else ("ja" if re.search(f"[{KANA}]", text) else "zh")
    runs: list[tuple[str | None, int, int]] = []
    for match in _RUN.finditer(text):
        kind = match.lastgroup
        found = {"han": han, "kana": "ja", "latin": "en"}.get(kind or "")
        if kind == "latin" and han == "ja" and _is_japanese(text, match.start(), match.end()):
            found = "ja"
        runs.append((found, match.start(), match.end()))
    fallback = next((found for found, _, _ in runs if found), "zh" if language == "auto" else language)
    pieces: list[Piece] = []
    current = fallback
    for found, start, end in runs:
        current = found or current
        if pieces and pieces[-1].language == current:
            pieces[-1] = Piece(current, pieces[-1].start, end)
        else:
            pieces.append(Piece(current, start, end))
    return pieces


def _is_japanese(text: str, start: int, end: int) -> bool:
    """Tell whether letters in a Japanese line have their Japanese names: CD, A型, 60kg."""
    from .numbers_ja import MEASURED  # 7 ms to compile, which other lines need not pay

    if MEASURED.search(text[:end]):
        return True
    beside = text[max(0, start - 1) : start] + text[end : end + 1]
    return bool(_ABBREVIATION.fullmatch(text[start:end]) and _BESIDE.search(beside))
