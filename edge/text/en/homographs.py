"""Words that are written alike and read differently: chosen by the words around them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from ..symbols import DATA
from .cues import (
    BE,
    DETERMINERS,
    OBJECTS,
    PERSONS,
    PLAIN_OBJECTS,
    PREPOSITIONS,
    SINGULAR_SUBJECTS,
    SUBJECTS,
    Site,
)
from .homograph_model import HomographModel
from .morphology import Phonemes, with_s

DATA_PATH = DATA / "en_homographs.txt"
_OF_VERBS = frozenset(("close", "recount"))  # nouns that sound like their verb: the close of the day
_GETTING_USED = frozenset("i'm he's she's we're they're you're get got getting".split())


class Homographs:
    """The table of ``data/en_homographs.txt`` and the model that chooses from it."""

    def __init__(self, path: Path = DATA_PATH) -> None:
        self._table: dict[str, dict[str, Phonemes]] = {}
        self._base: dict[str, str] = {}  # of forms in -s
        for line in path.read_text(encoding="ascii").splitlines():
            if line and not line.startswith("#"):
                self._add(line)

    @cached_property
    def _model(self) -> HomographModel:
        return HomographModel()

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
        if inflects == "s" and word + "s" not in self._table:
            self._table[word + "s"] = {sense: with_s(phonemes) for sense, phonemes in senses.items()}
            self._base[word + "s"] = word

    def __contains__(self, word: str) -> bool:
        return word in self._table

    def words(self) -> list[str]:
        """Words of the table without the forms in -s."""
        return [word for word in self._table if word not in self._base]

    def senses(self, word: str) -> list[str]:
        """Names of the senses of a word, the usual one first; none for a word that the table lacks."""
        return list(self._table.get(word, ()))

    def read(self, site: Site) -> Phonemes:
        """Phonemes of the word at a site; the word must be in the table."""
        return self._table[site.word][self.sense(site)]

    def sense(self, site: Site) -> str:
        """Name of the sense of the word at a site."""
        first, second = self.senses(site.word)
        if site.word in _RULES:
            return _RULES[site.word](site)
        if site.word in self._base:
            return _third_person(site) or first
        is_verb = self._model.shares(site.word)
        positive = "v" if is_verb else second
        negative = next(sense for sense in (first, second) if sense != positive)
        if is_verb and site.after == "of" and site.word not in _OF_VERBS:
            return negative  # 731 of 735 sentences of Wikipedia; the others are of these words
        return positive if self._model.score(site.word, site) > 0 else negative


def _third_person(site: Site) -> str:
    """``she records it`` against ``the records``; empty where nothing tells."""
    before = site.before
    if before in SINGULAR_SUBJECTS:
        return "v"
    if before in DETERMINERS or before in PREPOSITIONS or before.endswith("'s"):
        return "n"
    return "v" if site.after in PLAIN_OBJECTS else ""


def _used(site: Site) -> str:
    """``I used to sing`` and ``she is used to it`` against ``it is used to cut``."""
    if site.after != "to":
        return "v"
    if site.before not in BE:
        return "habit"
    person = site.at(-2) in PERSONS - {"it"} or site.before in _GETTING_USED
    return "habit" if person or site.at(2) in OBJECTS or site.at(2).endswith("ing") else "v"


def _nice(site: Site) -> str:
    is_place = site.capital and site.at(-1) in ("in", "to", "from", "near", "at")
    return "place" if is_place else "adjective"


def _does(site: Site) -> str:
    """The female deer: behind an article or a number, and before no verb."""
    counted = site.before in _COUNTING and site.after not in SUBJECTS and site.after != "not"
    return "animals" if counted else "v"


_COUNTING = frozenset("the two three four five six these those some several many female".split())
_RULES: dict[str, Callable[[Site], str]] = {"used": _used, "nice": _nice, "does": _does}
"""Of words that the training data lacks."""
