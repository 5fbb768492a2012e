"""Open JTalk labels turned into inventory symbols with pitch marks."""

from __future__ import annotations

import re
from collections.abc import Sequence

RISE, FALL = "[", "]"

_LABEL = re.compile(r"-(?P<phoneme>[^+]+)\+.*/A:(?P<to_accent>[-0-9x]+)\+(?P<mora>[0-9x]+)\+.*/F:(?P<n_morae>[0-9x]+)_")

# Morae that Open JTalk knows and the inventory lacks: the nearest spelling in symbols that it has.
_SUBSTITUTES = {
    "A": ("a",),
    "E": ("e",),
    "O": ("o",),
    "ty": ("t", "y"),
    "fy": ("f", "y"),
    "vy": ("v", "y"),
    "kw": ("k", "w"),
    "gw": ("g", "w"),
}


def label_phonemes(labels: Sequence[str]) -> list[tuple[str, ...]]:
    """Give the symbols of each sounding label, its pitch mark after it.

    Args:
        labels: HTS full-context labels of one clause; silences (``sil``, ``pau``) are left out of the result.

    Returns:
        One tuple per sounding label, e.g. ``("a", "[")``.

    Source: the accent recipe of ESPnet (arXiv:2201.12567, section on pitch accent): a rise after the first
    mora of a phrase whose second mora is high, a fall after the accented mora.
    """
    parsed = [_parse(label) for label in labels]
    result = []
    for index, (phoneme, to_accent, mora, n_morae) in enumerate(parsed):
        if phoneme in ("sil", "pau"):
            continue
        next_mora = parsed[index + 1][2] if index + 1 < len(parsed) else 0
        mark: tuple[str, ...] = ()
        if to_accent == 0 and next_mora == mora + 1 and mora != n_morae:
            mark = (FALL,)
        elif mora == 1 and next_mora == 2:
            mark = (RISE,)
        result.append((*_SUBSTITUTES.get(phoneme, (phoneme,)), *mark))
    return result


def _parse(label: str) -> tuple[str, int, int, int]:
    match = _LABEL.search(label)
    if match is None:
        raise ValueError(f"{label!r} is not a full-context label of Open JTalk")
    numbers = (_number(match[name]) for name in ("to_accent", "mora", "n_morae"))
    to_accent, mora, n_morae = numbers
    return match["phoneme"], to_accent, mora, n_morae


def _number(field: str) -> int:
    return -50 if field == "xx" else int(field)
