"""Readings of Han characters that the dictionary lacks, of the extensions of Unicode above all."""

from __future__ import annotations

from functools import lru_cache

from ..symbols import DATA

DATA_PATH = DATA / "zh_rare.txt"


def rare_reading(character: str) -> str:
    """Pinyin with a tone digit, or an empty string."""
    return _table().get(character, "")


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    """All characters by their reading; loaded when a line first needs it (5 ms)."""
    table: dict[str, str] = {}
    for line in DATA_PATH.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            reading, characters = line.split("\t")
            table |= dict.fromkeys(characters, reading)
    return table
