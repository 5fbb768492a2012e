"""Japanese names inside English text, read as English speakers say them: ``Sasuke``, ``Kakashi``.

Only words that no dictionary has and that parse as Hepburn romaji of three morae or more; an ``e`` at the
end of a word in small letters is left to English, as in ``biome``.
"""

from __future__ import annotations

import re

from .morphology import Phonemes

_CONSONANTS = {
    "ky": "K Y", "gy": "G Y", "ny": "N Y", "hy": "HH Y", "by": "B Y", "py": "P Y", "my": "M Y", "ry": "R Y",
    "sh": "SH", "ch": "CH", "ts": "T S", "k": "K", "g": "G", "s": "S", "z": "Z", "j": "JH", "t": "T",
    "d": "D", "n": "N", "h": "HH", "f": "F", "b": "B", "p": "P", "m": "M", "y": "Y", "r": "R", "w": "W",
}  # fmt: skip
_VOWELS = {"a": "AA", "i": "IY", "u": "UW", "e": "EH", "o": "OW"}
_LAST_VOWELS = {"a": "AH0", "i": "IY0", "u": "UW0", "e": "EY2", "o": "OW0"}
_MORA = (
    "(?:(?:ky|gy|ny|hy|by|py|my|ry)[auo]|(?:sh|j|ch)[aiuoe]|tsu|fu|[kgnbpmr][aiueo]|[szh][aueo]|[td][aeo]|"
    "hi|y[auo]|wa|n(?![aiueoy])|[aiueo])"
)
_WORD = re.compile(f"{_MORA}{{3,9}}")
_CUT = re.compile("(ky|gy|ny|hy|by|py|my|ry|sh|ch|ts|[kgsztdnhfbpmyrwj])?([aiueo])|n")
LEAST_MORAE = 3


def from_romaji(word: str) -> Phonemes | None:
    """Phonemes of a word as written that parses as romaji, else None; the last but one vowel is stressed."""
    lower = word.lower()
    if not _WORD.fullmatch(lower) or (lower[-1] == "e" and word[0].islower()):
        return None
    parts = [(match[1], match[2]) for match in _CUT.finditer(lower)]
    vowels = [index for index, (_, vowel) in enumerate(parts) if vowel]
    if len(parts) < LEAST_MORAE or len(vowels) < 2:
        return None
    sounds: list[str] = []
    for index, (consonant, vowel) in enumerate(parts):
        if not vowel:
            sounds.append("N")
            continue
        sounds += _CONSONANTS[consonant].split() if consonant else []
        sounds.append(_LAST_VOWELS[vowel] if index == vowels[-1] else _VOWELS[vowel] + _stress(vowels, index))
    return tuple(sounds)


def _stress(vowels: list[int], index: int) -> str:
    if index == vowels[-2]:
        return "1"
    return "2" if index == vowels[0] and len(vowels) > LEAST_MORAE else "0"
