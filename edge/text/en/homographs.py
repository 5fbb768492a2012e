"""Words that are written alike and read differently: chosen by the words around them.

The rules know no grammar: they look for auxiliaries, articles, pronouns and a few telling neighbours. "I read
it" alone is ambiguous and taken for the past; "every day", "always" and the like make it present.
"""

from __future__ import annotations

from pathlib import Path

from ..symbols import DATA
from .cues import Site, noun_or_verb
from .morphology import Phonemes, with_s
from .senses import RULES

DATA_PATH = DATA / "en_homographs.txt"


class Homographs:
    """The table of ``data/en_homographs.txt`` and the rules that choose from it."""

    def __init__(self, path: Path = DATA_PATH) -> None:
        self._table: dict[str, dict[str, Phonemes]] = {}
        for line in path.read_text(encoding="ascii").splitlines():
            if line and not line.startswith("#"):
                self._add(line)

    def _add(self, line: str) -> None:
        """One line of the table; "s" in the second column adds the form with -s."""
        word, inflects, rest = line.split(" ", 2)
        senses: dict[str, Phonemes] = {}
        name = ""
        for part in rest.split():
            label, equals, phoneme = part.rpartition("=")
            name = label if equals else name
            senses[name] = (*senses.get(name, ()), phoneme)
        self._table[word] = senses
        if inflects == "s":
            self._table[word + "s"] = {sense: with_s(phonemes) for sense, phonemes in senses.items()}

    def __contains__(self, word: str) -> bool:
        return word in self._table

    def read(self, site: Site) -> Phonemes:
        """Phonemes of the word at a site; the word must be in the table."""
        senses = self._table[site.word]
        sense = RULES.get(site.word, noun_or_verb)(site)
        return senses.get(sense or "") or next(iter(senses.values()))
