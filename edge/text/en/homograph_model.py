"""Which sense of a word is meant: a linear model over hashed features of its neighbours.

Each word has weights of its own, and nouns and verbs (record, use, live) share what holds for all of them.
What the words of the sentence name is said by ``senses``. Trained by ``distill/dictionaries/homographs.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from zlib import crc32

import numpy as np

from ..symbols import DATA
from .cues import (
    ADVERBS,
    BE,
    DETERMINERS,
    HAVE,
    MODALS,
    OBJECTS,
    PREPOSITIONS,
    SENTENCE_ENDS,
    SUBJECTS,
    Site,
    is_plural,
)
from .senses import NOTHING, senses

DATA_PATH = DATA / "en_homograph_model.npz"
REACH = 9  # words on either side
NEAR = 5  # of them those whose order counts
FAR = 40  # words on either side whose classes tell what the sentence is about
BUCKETS = 1 << 19
_KINDS = (
    ("to", frozenset(("to",))), ("mod", MODALS), ("be", BE), ("have", HAVE), ("det", DETERMINERS),
    ("subj", SUBJECTS), ("obj", OBJECTS), ("prep", PREPOSITIONS), ("adv", ADVERBS),
    ("join", frozenset("and or but nor then".split())),
)  # fmt: skip
_SMALL = frozenset(("^", ",", ".", "#", *(name for name, _ in _KINDS))) - {"adv"}
_ENDINGS = ("ing", "ed", "ly", "er", "al", "ic", "ous", "ive", "ion", "ment", "able")


class HomographModel:
    """Scores of the second sense of a word against the first."""

    def __init__(self, path: Path = DATA_PATH) -> None:
        with np.load(path, allow_pickle=False) as archive:
            self._weights = archive["weights"].astype(np.float32) * float(archive["scale"])
            words = str(archive["words"]).split(" ")
            self._biases: dict[str, float] = dict(
                zip(words, archive["biases"].astype(float).tolist(), strict=True)
            )
            self._shared = frozenset(str(archive["shared"]).split(" "))
        if len(self._weights) != BUCKETS:
            raise ValueError(f"{path} has {len(self._weights)} weights, expected {BUCKETS}; train it again")

    def shares(self, word: str) -> bool:
        """Whether the word is noun or adjective in one sense and verb in the other."""
        return word in self._shared

    def score(self, word: str, site: Site) -> float:
        """Positive where the verb is meant, or of a word that shares nothing its second sense.

        Args:
            word: as it is in the table.
            site: where it stands.
        """
        own, shared = feature_buckets(word, site)
        buckets = own + shared if word in self._shared else own
        return self._biases.get(word, 0.0) + float(self._weights[buckets].sum())


def feature_buckets(word: str, site: Site) -> tuple[list[int], list[int]]:
    """Weights of the word that speak at a site, and weights that all nouns and verbs share."""
    start = crc32(word.encode())
    own, shared = [], []
    for feature, is_general in features(site):
        key = feature.encode()
        own.append(crc32(key, start) % BUCKETS)
        if is_general:
            shared.append(crc32(key) % BUCKETS)
    return own, shared


def features(site: Site) -> Iterator[tuple[str, bool]]:
    """Features of a site, and whether they tell something about any word."""
    left, right = _side(site, -1), _side(site, 1)
    lkind, rkind = [kind(word) for word in left[:NEAR]], [kind(word) for word in right[:NEAR]]
    for place in range(3):
        yield f"L{place} {lkind[place]}", True
        yield f"R{place} {rkind[place]}", True
        yield f"l{place} {left[place]}", _is_closed(lkind[place])
        yield f"r{place} {right[place]}", _is_closed(rkind[place])
    yield f"LR {lkind[0]} {rkind[0]}", True
    yield f"LL {lkind[1]} {lkind[0]}", True
    yield f"RR {rkind[0]} {rkind[1]}", True
    yield f"LLR {lkind[1]} {lkind[0]} {rkind[0]}", True
    yield f"LRR {lkind[0]} {rkind[0]} {rkind[1]}", True
    yield f"lR {left[0]} {rkind[0]}", _is_closed(lkind[0])
    yield f"Lr {lkind[0]} {right[0]}", _is_closed(rkind[0])
    yield f"ll {left[1]} {left[0]}", _is_closed(lkind[0]) and _is_closed(lkind[1])
    yield f"lr {left[0]} {right[0]}", False
    before = site.before or "^"
    yield f"B {kind(before)} {rkind[0]}", True
    yield f"b {before}", _is_closed(kind(before))
    yield f"P {_phrase(left[:NEAR])}", True
    yield f"C {site.capital} {lkind[0] == '^'}", True
    yield f"ls {left[0][-3:]}", True
    yield f"rs {right[0][-3:]}", True
    yield f"lrs {left[0][-2:]} {right[0][-2:]}", True
    yield f"V {_verb(lkind)} {_verb(rkind)} {rkind[0]}", True
    for word in (*left, *right):
        if len(word) > 2:
            yield f"w {word}", False
    yield from _meanings(site)


def _meanings(site: Site) -> Iterator[tuple[str, bool]]:
    """Classes of the words of the sentence, and what the nearest ones are."""
    sides = [_side(site, step, FAR) for step in (-1, 1)]
    seen: set[str] = set()
    for word in (*sides[0], *sides[1]):
        if word == "^" or kind(word) in _SMALL:
            continue
        classes, noun, verb = senses(word)
        seen.update(f"c {number}" for number in classes)
        seen.update(f"s {sort}" for sort in (noun, verb) if sort != NOTHING)
    for feature in sorted(seen):
        yield feature, False
    for name, side in zip("LR", sides, strict=True):
        for place in range(2):
            _, noun, verb = senses(side[place])
            yield f"{name}{place}n {noun}", True
            yield f"{name}{place}v {verb}", True


def _side(site: Site, step: int, reach: int = REACH) -> list[str]:
    """Neighbours on one side, ``^`` from the sentence's end on."""
    side: list[str] = []
    for distance in range(1, reach + 1):
        word = site.at(step * distance)
        if word in SENTENCE_ENDS:
            break
        side.append(word)
    return side + ["^"] * (reach - len(side))


def _phrase(left: list[str]) -> str:
    """The nearest small word before, over nouns and adjectives: the article of a new world record."""
    for word in left:
        if kind(word) in ("det", "prep", "to", "mod", "be", "have", "subj", "obj", "join", "^", ","):
            return kind(word)
    return ""


def _verb(kinds: list[str]) -> str:
    """The nearest sign of a verb on one side, within the clause."""
    for name in kinds:
        if name in ("mod", "be", "have", "to", "ed", "^", ",", "."):
            return name
    return ""


def _is_closed(name: str) -> bool:
    return name in ("to", "mod", "be", "have", "det", "subj", "obj", "prep", "adv", "join")


@lru_cache(maxsize=4096)
def kind(word: str) -> str:
    """What sort of word a neighbour is: one of the small words, or by its ending."""
    if not word[:1].isalpha():
        return word[:1] if word[:1] in "^," else "#" if word[:1].isdigit() else "."
    for name, members in _KINDS:
        if word in members:
            return name
    if word.endswith("'s"):
        return "det"
    if is_plural(word):
        return "plural"
    return next((ending for ending in _ENDINGS if word.endswith(ending) and len(word) > len(ending) + 2), "x")
