"""Coverage of sounds, and the choice of lines in which each stands next to as many others as possible."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise

from edge.text.symbols import PUNCTUATION, SYMBOLS

Units = Counter[tuple[str, ...]]

_ENGLISH_VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()
_ENGLISH_CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()
_JAPANESE = (
    "a i u e o I U N cl b by ch d dy f g gy h hy j k ky m my n ny p py r ry s sh t ts v w y z [ ]".split()
)


@cache
def inventory(language: str) -> frozenset[str]:
    """Give every symbol that a line of a language may be read as, with the punctuation."""
    if language == "en":
        vowels = [vowel + stress for vowel in _ENGLISH_VOWELS for stress in "012"]
        return frozenset((*vowels, *_ENGLISH_CONSONANTS, *PUNCTUATION))
    if language == "ja":
        return frozenset((*_JAPANESE, *PUNCTUATION))
    syllables = json.loads(resources.files("edge.text").joinpath("data/pinyin.json").read_text("utf-8"))
    onsets, rimes = zip(*(symbols.split() for symbols in syllables.values()), strict=True)
    toned = {rime + tone for rime in rimes for tone in "12345"} & set(SYMBOLS)
    return frozenset((*onsets, *toned, *PUNCTUATION))


def units(phonemes: Sequence[str]) -> Units:
    """Count single phonemes and neighbouring pairs; the ends of the line count as neighbours."""
    bounded = ["", *phonemes, ""]
    pairs = Counter(pairwise(bounded))
    return pairs + Counter((phoneme,) for phoneme in phonemes)


def choose(
    readings: Mapping[str, Sequence[str]], count: int, already: Iterable[Sequence[str]] = ()
) -> list[str]:
    """Take ``count`` lines, each time the one with most rare units per phoneme (greedy, lazily re-scored).

    Args:
        readings: phonemes by text; earlier texts win ties.
        count: how many to take.
        already: phonemes of lines that are in anyway.
    """
    seen: Units = Counter()
    for phonemes in already:
        seen.update(units(phonemes))
    counted = {text: units(phonemes) for text, phonemes in readings.items()}
    scores = {text: _score(counts, seen) for text, counts in counted.items()}
    chosen: list[str] = []
    while scores and len(chosen) < count:
        best = _best(scores, counted, seen)
        chosen.append(best)
        seen.update(counted[best])
        del scores[best]
    return chosen


def _best(scores: dict[str, float], counted: Mapping[str, Units], seen: Units) -> str:
    """Scores only fall as units are seen, so the first that keeps its place when scored again is the best."""
    while True:
        best = max(scores, key=scores.__getitem__)
        fresh = _score(counted[best], seen)
        if fresh >= scores[best] - 1e-9:
            return best
        scores[best] = fresh


def _score(counts: Units, seen: Units) -> float:
    gain = sum(1 / (1 + seen[unit]) ** 2 for unit in counts)
    return gain / (5 + sum(counts.values())) ** 0.5
