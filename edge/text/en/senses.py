"""What sort of thing an English word names: weapons, ships and drinks, from the nouns and verbs of WordNet.

Words are kept as checksums, sorted, with the narrowest of 1,887 classes of nouns and a sort of verb.
Made by ``distill/dictionaries/senses.py``.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np

from ..symbols import DATA

DATA_PATH = DATA / "en_senses.npz"
MOST_CLASSES = 6  # of a word, from the narrowest one up
NOTHING = 0  # no class, no sort


class WordSenses:
    """Classes of words."""

    def __init__(self, path: Path = DATA_PATH) -> None:
        with np.load(path, allow_pickle=False) as archive:
            self._keys = archive["keys"]
            self._nouns = archive["nouns"]
            self._verbs = archive["verbs"]
            self._parents = archive["parents"].tolist()
            self._sorts = archive["sorts"].tolist()

    def look_up(self, word: str) -> tuple[tuple[int, ...], int, int]:
        """Classes, sort of noun and sort of verb of a word.

        Args:
            word: in lower case, inflected or not.

        Returns:
            At most ``MOST_CLASSES`` classes, the narrowest first; the sort of things they belong to; the sort
            of doing that the verb means. ``NOTHING`` where the word is no noun or no verb.
        """
        key = crc32(word.encode())
        place = int(np.searchsorted(self._keys, key))
        if place == len(self._keys) or self._keys[place] != key:
            return (), NOTHING, NOTHING
        noun = int(self._nouns[place])
        return self._chain(noun), self._sorts[noun], int(self._verbs[place])

    def _chain(self, noun: int) -> tuple[int, ...]:
        chain: list[int] = []
        while noun != NOTHING and len(chain) < MOST_CLASSES:
            chain.append(noun)
            noun = self._parents[noun]
        return tuple(chain)


@lru_cache(maxsize=1)
def _senses() -> WordSenses:
    return WordSenses()


@lru_cache(maxsize=4096)
def senses(word: str) -> tuple[tuple[int, ...], int, int]:
    """``WordSenses.look_up`` in the dictionary that ships."""
    return _senses().look_up(word)
