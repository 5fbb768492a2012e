"""Which mouth shapes a phoneme shows: the 15 Oculus visemes for every symbol of the three languages.

Sources: the viseme reference of the Oculus lip-sync plug-in (the 15 shapes; ch/j/sh in CH, s/z in SS, n/l
in nn). The sequences of Mandarin rimes and the Japanese weights follow rounding and jaw opening: our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou")


@dataclass(frozen=True)
class Target:
    """One mouth shape inside a phoneme."""

    viseme: str
    """One of ``VISEMES``."""
    weight: float = 1.0
    """How far the mouth goes there, 0 to 1."""
    share: float = 1.0
    """Part of the phoneme's duration, relative to its other targets; the nucleus has most."""


SILENCE = (Target("sil"),)
_SILENT = frozenset({",", ".", "!", "?", "…", "-", "SP", "SP2", "SP3", "UNK", "_"})
_JA_LABIALS = frozenset({"p", "b", "m", "py", "by", "my"})


def _table(**groups: str) -> dict[str, tuple[Target, ...]]:
    return {symbol: (Target(viseme),) for viseme, symbols in groups.items() for symbol in symbols.split()}


def _sequence(description: str) -> tuple[Target, ...]:
    """Parse ``ou:.3 aa:.4 nn:.3`` or, with a weight, ``ou*.8:.4``."""
    targets = []
    for item in description.split():
        shape, _, share = item.partition(":")
        viseme, _, weight = shape.partition("*")
        targets.append(Target(viseme, float(weight or 1), float(share or 1)))
    return tuple(targets)


_ZH_ONSETS = _table(
    PP="b p m", FF="f", DD="d t", nn="n l", kk="g k h", CH="j q x zh ch sh", RR="r", SS="z c s",
    ih="y", ou="w", aa="AA", E="EE", oh="OO",
)  # fmt: skip
_ZH_ZERO_ONSETS = frozenset({"AA", "EE", "OO"})  # no consonant: the mouth opens for the rime
_ZH_RIMES = {
    rime: _sequence(description)
    for rime, description in {
        "a": "aa", "o": "oh", "e": "E*.6", "E": "E", "i": "ih", "i0": "SS", "ir": "RR", "u": "ou",
        "v": "ou*.8", "er": "E*.6:.4 RR:.6",
        "ai": "aa:.6 ih:.4", "ei": "E:.55 ih:.45", "ao": "aa:.6 oh:.4", "ou": "oh:.55 ou:.45",
        "an": "aa:.6 nn:.4", "en": "E*.6:.55 nn:.45", "in": "ih:.55 nn:.45", "un": "ou:.55 nn:.45",
        "vn": "ou*.8:.55 nn:.45",
        "ang": "aa:.6 kk:.4", "eng": "E*.6:.55 kk:.45", "ing": "ih:.55 kk:.45", "ong": "oh:.55 kk:.45",
        "ia": "ih:.35 aa:.65", "ie": "ih:.35 E:.65", "ua": "ou:.35 aa:.65", "uo": "ou:.35 oh:.65",
        "ve": "ou*.8:.35 E:.65",
        "iao": "ih:.25 aa:.45 oh:.3", "iu": "ih:.25 oh:.4 ou:.35", "uai": "ou:.25 aa:.45 ih:.3",
        "ui": "ou:.25 E:.4 ih:.35",
        "ian": "ih:.25 E:.45 nn:.3", "uan": "ou:.25 aa:.45 nn:.3", "van": "ou*.8:.25 E:.45 nn:.3",
        "En": "E:.6 nn:.4",
        "iang": "ih:.25 aa:.45 kk:.3", "uang": "ou:.25 aa:.45 kk:.3", "iong": "ih:.25 oh:.45 kk:.3",
    }.items()
}  # fmt: skip

_EN = {
    **_table(
        PP="P B M", FF="F V", TH="TH DH", DD="T D", nn="N L", kk="K G HH NG", CH="CH JH SH ZH", SS="S Z",
        RR="R ER", aa="AA AE AH", E="EH", ih="IH IY Y", oh="AO", ou="UH UW W",
    ),
    "EY": _sequence("E:.6 ih:.4"),
    "AY": _sequence("aa:.6 ih:.4"),
    "AW": _sequence("aa:.6 ou:.4"),
    "OW": _sequence("oh:.6 ou:.4"),
    "OY": _sequence("oh:.6 ih:.4"),
}  # fmt: skip

_JA = {
    **_table(
        PP="p b m py by my", DD="t d dy", CH="ch j sh", SS="s z ts", nn="n ny N", kk="k g h ky gy hy", FF="v",
        ih="y i", ou="w", aa="a", E="e", oh="o",
    ),
    "u": _sequence("ou*.5"),  # unrounded
    "f": _sequence("FF*.4"),  # the lips narrow, the teeth do not touch them
    "r": _sequence("nn*.6"),  # one tap
    "ry": _sequence("nn*.6"),
    "I": _sequence("ih*.2"),  # devoiced: whispered, the jaw hardly moves
    "U": _sequence("ou*.2"),
    "cl": (),  # holds
}  # fmt: skip

_TABLES = {"zh": _ZH_ONSETS | _ZH_RIMES, "en": _EN, "ja": _JA}


def phoneme_targets(phonemes: Sequence[str], index: int, language: str) -> tuple[Target, ...]:
    """Give the mouth shapes of one phoneme in its context.

    Args:
        phonemes: symbols of the inventory, without pitch marks.
        index: which of them.
        language: ``zh``, ``en`` or ``ja``; several symbols mean different sounds in different languages.

    Returns:
        One to three targets in order; empty for a sound that holds the shape before it (っ).

    Raises:
        KeyError: the symbol belongs to none of the three languages.
    """
    return _targets(phonemes[index], phonemes[index + 1] if index + 1 < len(phonemes) else "", language)


@lru_cache(maxsize=4096)
def _targets(symbol: str, following: str, language: str) -> tuple[Target, ...]:
    if symbol in _SILENT:
        return SILENCE
    if language == "ja" and symbol in ("N", "cl") and following in _JA_LABIALS:
        return _JA[following]
    if language == "zh" and (symbol in _ZH_ZERO_ONSETS or (symbol == "y" and following.startswith("v"))):
        rime = following.rstrip("12345")
        return _ZH_RIMES[rime][:1] if rime in _ZH_RIMES else _ZH_ONSETS[symbol]
    return _context_free(symbol, language)


def _context_free(symbol: str, language: str) -> tuple[Target, ...]:
    keys = {"zh": symbol.rstrip("12345"), "en": symbol.rstrip("012"), "ja": symbol}
    # A lexicon entry may borrow a sound: its own language first, then the others.
    for candidate in (language, *_TABLES):
        targets = _TABLES[candidate].get(keys[candidate])
        if targets is not None:
            return targets
    raise KeyError(f"no mouth shape for phoneme {symbol!r}")
