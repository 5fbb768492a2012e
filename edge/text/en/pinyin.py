"""Chinese names inside English text, read as English speakers who know pinyin do: ``Xiaoling``, ``Zhuge``.

Only words that no English word could be are taken: they parse as pinyin without a rest and have a ``zh``, or
begin a syllable with ``x`` or ``q``.
"""

from __future__ import annotations

import re

from .morphology import Phonemes

INITIALS = {
    "zh": "JH", "ch": "CH", "sh": "SH", "b": "B", "p": "P", "m": "M", "f": "F", "d": "D", "t": "T", "n": "N",
    "l": "L", "g": "G", "k": "K", "h": "HH", "j": "JH", "q": "CH", "x": "SH", "r": "R", "z": "Z", "c": "T S",
    "s": "S", "y": "Y", "w": "W",
}  # fmt: skip
FINALS = {
    "iang": "Y AA1 NG", "iong": "Y UH1 NG", "uang": "W AA1 NG", "ang": "AA1 NG", "eng": "AH1 NG",
    "ian": "Y EH1 N", "iao": "Y AW1", "ing": "IH1 NG", "ong": "UH1 NG", "uai": "W AY1", "uan": "W AA1 N",
    "ai": "AY1", "an": "AA1 N", "ao": "AW1", "ei": "EY1", "en": "AH1 N", "er": "ER1", "ia": "Y AA1",
    "ie": "Y EH1", "in": "IH1 N", "iu": "Y OW1", "ou": "OW1", "ua": "W AA1", "ue": "W EH1", "ui": "W EY1",
    "un": "UH1 N", "uo": "W AO1", "a": "AA1", "e": "AH1", "i": "IY1", "o": "AO1", "u": "UW1",
}  # fmt: skip
AFTER_Y = {"an": "EH1 N", "uan": "W EH1 N", "e": "EH1"}
AFTER_PALATAL = {"iao": "AW1", "uan": "W EH1 N", "un": "UW1 N"}  # behind j, q and x
LONGEST_NAME = 18  # letters; three syllables of six
_SYLLABLE = rf"(?:{'|'.join(INITIALS)})?(?:{'|'.join(FINALS)})"
_NAME = re.compile(rf"(?:{_SYLLABLE})+$")
_CUT = re.compile(rf"({'|'.join(INITIALS)})?({'|'.join(FINALS)})(?=(?:{_SYLLABLE})*$)")
_UNENGLISH = re.compile(r"zh|(?:^|ng)x[iu]|(?:^|ng)q(?:i|u(?:an|e|n)?$)")


def from_pinyin(word: str) -> Phonemes | None:
    """Phonemes of a lower-case word that can only be pinyin, else None; the last syllable is stressed."""
    if len(word) > LONGEST_NAME or not _UNENGLISH.search(word) or not _NAME.match(word):
        return None
    syllables = [_syllable(*match.groups()) for match in _CUT.finditer(word)]
    weaker = [phoneme.replace("1", "2") for syllable in syllables[:-1] for phoneme in syllable]
    return (*weaker, *syllables[-1])


def _syllable(initial: str | None, final: str) -> list[str]:
    sound = FINALS[final]
    if initial == "y":
        sound = AFTER_Y.get(final, sound)
    elif initial and initial in "jqx":
        sound = AFTER_PALATAL.get(final, sound)
    if initial == "y" and final == "i":
        return [sound]
    return [*(INITIALS[initial].split() if initial else ()), *sound.split()]
