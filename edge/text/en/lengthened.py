"""Words drawn out and stuttered in English: ``Nooooo``, ``W-what``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product

from .morphology import Phonemes

_RUN = re.compile(r"([a-z])\1{2,}")
_PAIR_AT_END = re.compile(r"([a-z])\1$")
_VOWELS = frozenset("aeiouy")
LONGEST_FRAGMENT = 3
_PREFIXES = frozenset("re de co un in pre non pro bi tri be no so go".split())  # re-read is no stutter
MAX_RUNS = 3  # of one word that are looked at
# Where the word with one letter is a word too but hardly meant: Goooood is no god.
_DOUBLED = frozenset(
    "good boom zoom doom loom bloom gloom goose loose moose "
    "cool soon food mood moon room foot look book cook door poor boo too zoo see bee free need feel "
    "meet sweet sleep deep keep week seen been green queen geez teen feet all hell well tell sell kill bill "
    "hill call ball fall tall wall fell full bull boss loss miss kiss pass mess dress bless press stuff off "
    "inn add odd egg butt seed speed feed weed freed creed breed indeed jeez cheer beer deer steer roof "
    "proof loop hoop troop shoot root".split()
)


def shortened(word: str, lookup: Callable[[str], Phonemes | None]) -> str:
    """The word without its lengthening, or the word itself where there is none.

    Args:
        word: in small letters.
        lookup: of the dictionary.
    """
    runs = list(_RUN.finditer(word))[:MAX_RUNS]
    if not runs:
        single = word[:-1] if _PAIR_AT_END.search(word) and len(word) > 2 else ""
        return single if single and lookup(single) else word
    found = [variant for variant in _variants(word, runs) if lookup(variant)]
    doubled = [variant for variant in found if variant in _DOUBLED]
    return next(iter([*doubled, *found, next(_variants(word, runs))]))


def _variants(word: str, runs: list[re.Match[str]]) -> Iterator[str]:
    """The word with each run as one letter, then as two."""
    for counts in product((1, 2), repeat=len(runs)):
        letters, end = "", 0
        for run, count in zip(runs, counts, strict=True):
            letters += word[end : run.start()] + run[1] * count
            end = run.end()
        yield letters + word[end:]


def first_sound(fragment: str, phonemes: Phonemes) -> Phonemes:
    """What a stutter repeats of the word behind it: W of what, with the vowel that a lone consonant needs.

    Args:
        fragment: the letters before the hyphen.
        phonemes: of the word.
    """
    vowel = next((index for index, phoneme in enumerate(phonemes) if phoneme[-1].isdigit()), 0)
    if not vowel or not _VOWELS.isdisjoint(fragment[1:]):
        return (*phonemes[:vowel], phonemes[vowel][:-1] + "1") if phonemes[vowel][-1].isdigit() else phonemes
    written = 1 if fragment.startswith(("th", "sh", "ch", "wh", "ph")) else len(fragment)
    return (*phonemes[: min(vowel, written)], "AH0")


def is_stutter(fragment: str, word: str) -> bool:
    """Whether letters before a hyphen are the beginning of the word behind it: W-what, th-that, wha-what."""
    fragment, word = fragment.lower(), word.lower()
    begins = word.startswith(fragment) and len(fragment) < len(word)
    return begins and len(fragment) <= LONGEST_FRAGMENT and fragment not in _PREFIXES
