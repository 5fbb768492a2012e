"""Pinyin with tone digits to inventory symbols and back."""

from __future__ import annotations

import json

from ..symbols import DATA

_SYLLABLES: dict[str, tuple[str, str]] = {
    syllable: (symbols.split()[0], symbols.split()[1])
    for syllable, symbols in json.loads((DATA / "pinyin.json").read_text(encoding="utf-8")).items()
}
# jv, qv, xv, yv are second spellings of ju, qu, xu, yu: the first one listed is the usual one.
_SPELLINGS: dict[tuple[str, str], str] = {}
for _syllable, _pair in _SYLLABLES.items():
    _SPELLINGS.setdefault(_pair, _syllable)


def pinyin_symbols(syllable: str) -> tuple[str, str]:
    """Symbols of one syllable with its tone digit: ``hao3`` -> ``("h", "ao3")``.

    Raises:
        KeyError: not a syllable of the table.
    """
    onset, rime = _SYLLABLES[syllable[:-1]]
    return onset, rime + syllable[-1]


def is_sayable(syllable: str) -> bool:
    """Tell whether the inventory has symbols for a syllable with its tone digit; not for ``m2`` (呣)."""
    return syllable[:-1] in _SYLLABLES


def symbols_pinyin(onset: str, rime: str) -> str:
    """The syllable that two symbols spell: ``("h", "ao3")`` -> ``hao3``; ü is written v.

    Raises:
        KeyError: the two symbols are not a syllable.
    """
    return _SPELLINGS[onset, rime[:-1]] + rime[-1]
