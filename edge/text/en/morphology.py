"""Pronounces inflected and derived words from the word they come from.

Every ending and prefix here was measured by leaving each word of CMUdict out in turn: see
``distill/dictionaries/train_letters.py --measure``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Phonemes = tuple[str, ...]
Lookup = Callable[[str], "Phonemes | None"]

VOWEL_LETTERS = frozenset("aeiouy")
SIBILANTS = frozenset(("S", "Z", "SH", "ZH", "CH", "JH"))
VOICELESS = frozenset(("P", "T", "K", "F", "TH", "S", "SH", "CH"))
CONTRACTIONS: dict[str, Phonemes] = {
    "'ll": ("AH0", "L"), "'ve": ("AH0", "V"), "'re": ("ER0",), "'m": ("AH0", "M"), "n't": ("AH0", "N", "T"),
}  # fmt: skip
ENDINGS: dict[str, Phonemes] = {
    "ing": ("IH0", "NG"), "ings": ("IH0", "NG", "Z"), "er": ("ER0",), "ers": ("ER0", "Z"),
    "est": ("AH0", "S", "T"), "ly": ("L", "IY0"), "ness": ("N", "AH0", "S"), "less": ("L", "AH0", "S"),
    "ful": ("F", "AH0", "L"), "able": ("AH0", "B", "AH0", "L"), "ish": ("IH0", "SH"),
    "like": ("L", "AY2", "K"), "ment": ("M", "AH0", "N", "T"), "ments": ("M", "AH0", "N", "T", "S"),
    "ship": ("SH", "IH2", "P"), "hood": ("HH", "UH2", "D"), "ward": ("W", "ER0", "D"),
    "wards": ("W", "ER0", "D", "Z"), "wise": ("W", "AY2", "Z"), "man": ("M", "AH0", "N"),
    "some": ("S", "AH0", "M"), "fully": ("F", "AH0", "L", "IY0"), "lessly": ("L", "AH0", "S", "L", "IY0"),
    "berg": ("B", "ER0", "G"), "nesses": ("N", "AH0", "S", "AH0", "Z"), "ville": ("V", "IH2", "L"),
    "burg": ("B", "ER0", "G"), "town": ("T", "AW2", "N"), "or": ("ER0",), "ors": ("ER0", "Z"),
}  # fmt: skip
# Those with a main stress of their own take it from the rest: ``overcoat``, ``cyberattack``.
PREFIXES: dict[str, Phonemes] = {
    "un": ("AH0", "N"), "re": ("R", "IY0"), "non": ("N", "AA0", "N"), "pre": ("P", "R", "IY0"),
    "anti": ("AE2", "N", "T", "IY0"), "super": ("S", "UW2", "P", "ER0"), "over": ("OW1", "V", "ER0"),
    "under": ("AH1", "N", "D", "ER0"), "out": ("AW1", "T"), "mis": ("M", "IH0", "S"),
    "dis": ("D", "IH0", "S"), "inter": ("IH2", "N", "T", "ER0"), "micro": ("M", "AY1", "K", "R", "OW0"),
    "mega": ("M", "EH1", "G", "AH0"), "cyber": ("S", "AY1", "B", "ER0"), "hyper": ("HH", "AY2", "P", "ER0"),
    "ultra": ("AH2", "L", "T", "R", "AH0"), "multi": ("M", "AH2", "L", "T", "IY0"),
    "semi": ("S", "EH2", "M", "IY0"), "sub": ("S", "AH0", "B"), "post": ("P", "OW2", "S", "T"),
    "bio": ("B", "AY2", "OW0"), "neo": ("N", "IY2", "OW0"), "pseudo": ("S", "UW2", "D", "OW0"),
    "mid": ("M", "IH1", "D"), "counter": ("K", "AW1", "N", "T", "ER0"),
    "electro": ("IH0", "L", "EH2", "K", "T", "R", "OW0"), "tele": ("T", "EH1", "L", "AH0"),
    "nano": ("N", "AE1", "N", "OW0"), "meta": ("M", "EH2", "T", "AH0"), "mini": ("M", "IH1", "N", "IY0"),
    "macro": ("M", "AE2", "K", "R", "OW0"), "retro": ("R", "EH2", "T", "R", "OW0"),
    "extra": ("EH2", "K", "S", "T", "R", "AH0"), "crypto": ("K", "R", "IH2", "P", "T", "OW0"),
    "fore": ("F", "AO1", "R"),
}  # fmt: skip
SHORTEST_BASE = 3  # letters; shorter stems are too often no stems


def with_s(phonemes: Phonemes) -> Phonemes:
    """Plural, third person or possessive: ``cats``, ``dogs``, ``foxes``."""
    if phonemes[-1] in SIBILANTS:
        return (*phonemes, "AH0", "Z")
    return (*phonemes, "S" if phonemes[-1] in VOICELESS else "Z")


def with_d(phonemes: Phonemes) -> Phonemes:
    """Past: ``walked``, ``played``, ``wanted``."""
    if phonemes[-1] in ("T", "D"):
        return (*phonemes, "IH0", "D")
    return (*phonemes, "T" if phonemes[-1] in VOICELESS else "D")


def stems(word: str, ending: str) -> Iterator[str]:
    """What a word with this ending may come from: ``running`` -> ``run``, ``runne``, ``runn``."""
    stem = word.removesuffix(ending)
    if len(stem) < SHORTEST_BASE:
        return
    begins_with_vowel = ending[0] in VOWEL_LETTERS
    if stem.endswith("i") and ending != "ing":
        yield stem[:-1] + "y"
    if begins_with_vowel and len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "aeiousl":
        yield stem[:-1]
    if begins_with_vowel and stem[-1] not in "aiouy":
        yield stem + "e"
    yield stem


def from_ending(word: str, lookup: Lookup) -> Phonemes | None:
    """Pronounce a word by its ending, longest ending first; None where no stem is known."""
    if word.endswith("s") and not word.endswith("ss"):
        found = _plural(word, lookup)
        if found:
            return found
    if word.endswith("ed"):
        found = _first(stems(word, "ed"), lookup)
        if found:
            return with_d(found)
    for length in range(min(6, len(word) - SHORTEST_BASE), 0, -1):
        sound = ENDINGS.get(word[-length:])
        found = _first(stems(word, word[-length:]), lookup) if sound else None
        if sound and found:
            return found[:-1] + sound if found[-1] == sound[0] == "L" else found + sound
    return None


def _plural(word: str, lookup: Lookup) -> Phonemes | None:
    if word.endswith("ies") and len(word) > 4:
        found = lookup(word[:-3] + "y")
        if found:
            return with_s(found)
    found = lookup(word[:-1]) if len(word) > SHORTEST_BASE else None
    if not found and word.endswith("es") and len(word) > 4:
        found = lookup(word[:-2])
    return with_s(found) if found else None


def _first(candidates: Iterator[str], lookup: Lookup) -> Phonemes | None:
    return next((found for found in map(lookup, candidates) if found), None)


def from_prefix(word: str, lookup: Lookup) -> Phonemes | None:
    """Pronounce a word by its prefix, longest prefix first."""
    for length in range(min(7, len(word) - 4), 1, -1):
        sound = PREFIXES.get(word[:length])
        found = lookup(word[length:]) if sound else None
        if sound and found:
            return joined(sound, found) if any(phoneme[-1] == "1" for phoneme in sound) else sound + found
    return None


def joined(first: Phonemes, second: Phonemes) -> Phonemes:
    """A compound: the main stress stays on the first part."""
    return first + tuple(phoneme[:-1] + "2" if phoneme[-1] == "1" else phoneme for phoneme in second)
