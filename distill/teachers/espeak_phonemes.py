"""Our phonemes written the way espeak-ng reads them, so that the label of a line is what it says.

English and Japanese go in as espeak's own mnemonics between double brackets, Mandarin as pinyin with tone
digits (voice ``cmn-latn-pinyin``), which keeps espeak's syllable timing. Mnemonics were read off
``espeak-ng -x`` 1.51.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources

from edge.text import Reading
from edge.text.symbols import PUNCTUATION

_MARKS = {",": ",", ".": ".", "!": "!", "?": "?", "…": "…", "-": " - "}

# --- English: ARPAbet to the phonemes of en-us --------------------------------------------------------------

_ARPABET = {
    "AA": "A:", "AE": "a", "AH": "V", "AO": "O:", "AW": "aU", "AY": "aI", "EH": "E", "ER": "3:", "EY": "eI",
    "IH": "I", "IY": "i:", "OW": "oU", "OY": "OI", "UH": "U", "UW": "u:",
    "B": "b", "CH": "tS", "D": "d", "DH": "D", "F": "f", "G": "g", "HH": "h", "JH": "dZ", "K": "k", "L": "l",
    "M": "m", "N": "n", "NG": "N", "P": "p", "R": "r", "S": "s", "SH": "S", "T": "t", "TH": "T", "V": "v",
    "W": "w", "Y": "j", "Z": "z", "ZH": "Z",
}  # fmt: skip
_UNSTRESSED = {"AH": "@", "ER": "3", "IY": "i"}
_BEFORE_R = {"AA": "A@", "AO": "O@", "EH": "e@", "IH": "i@3", "UH": "U@"}  # vowel and a closing R in one
_STRESS = {"0": "", "1": "'", "2": ","}
# Said without stress inside a sentence; their vowels stay as the dictionary gives them.
_FUNCTION_WORDS = frozenset(
    "a an the and or but nor as at by for from in into of off on onto out over to up with than that "
    "this these those is am are was were be been has have had do does did can could will would shall "
    "should may might must i me my you your he him his she her it its we us our they them their if so "
    "not there some any".split()
)


def english_word(phonemes: Sequence[str], stressed: bool = True) -> str:
    """Write one English word in espeak mnemonics, e.g. ``h@l'oU``."""
    pieces, index = [], 0
    while index < len(phonemes):
        name, stress = _split_stress(phonemes[index])
        follower = phonemes[index + 1] if index + 1 < len(phonemes) else ""
        beyond = phonemes[index + 2] if index + 2 < len(phonemes) else ""
        mark = _STRESS[stress] if stressed and stress else ""
        if name in _BEFORE_R and follower == "R" and not beyond[-1:].isdigit():
            pieces.append(mark + _BEFORE_R[name])
            index += 2
            continue
        unstressed = stress == "0" and name in _UNSTRESSED
        pieces.append(mark + (_UNSTRESSED[name] if unstressed else _ARPABET[name]))
        index += 1
    return "".join(pieces)


def _split_stress(phoneme: str) -> tuple[str, str]:
    return (phoneme[:-1], phoneme[-1]) if phoneme[-1].isdigit() else (phoneme, "")


# --- Japanese: Open JTalk phonemes to the phonemes of ja ----------------------------------------------------

_JAPANESE = {
    "sh": "s\\", "ch": "t_s\\", "j": "d_z\\", "ts": "t_s", "f": "p\\", "hy": "C", "r": "r`", "ry": "r`_j",
    "ky": "k_j", "gy": "g_j", "ny": "n_j", "my": "m_j", "by": "b_j", "py": "p_j", "dy": "dj", "y": "j",
}  # fmt: skip
_VOWELS = frozenset("aiueo")
_DEVOICED = {"I": "i", "U": "u"}
_LABIAL = frozenset({"p", "b", "m", "py", "by", "my"})
_DENTAL = frozenset({"t", "d", "n", "ny", "ts", "ch", "z", "j", "dy", "r", "ry"})
_VELAR = frozenset({"k", "g", "ky", "gy"})
_VOICELESS = frozenset({"k", "ky", "s", "sh", "t", "ch", "ts", "h", "hy", "f", "p", "py", "cl"})


def japanese_phrase(phonemes: Sequence[str]) -> str:
    """Write one accent phrase in espeak mnemonics.

    espeak-ng has no pitch accent for Japanese, but its stressed syllables are higher: the mora before a fall
    takes the main stress, and a phrase without a fall a light one after its rise: the marks can be heard.
    """
    falls = "]" in phonemes
    pieces: list[str] = []
    for index, phoneme in enumerate(phonemes):
        if phoneme == "]":
            _stress_last_vowel(pieces, "'")
            continue
        if phoneme == "[":
            continue
        follower = next((p for p in phonemes[index + 1 :] if p not in "[]"), "")
        pieces.append(_japanese_phoneme(phoneme, follower))
        if not falls and phoneme in _VOWELS and "[" in phonemes[:index] and "," not in "".join(pieces):
            pieces[-1] = "," + pieces[-1]
    return "".join(pieces)


def _stress_last_vowel(pieces: list[str], mark: str) -> None:
    for index in reversed(range(len(pieces))):
        if pieces[index].strip("',") in _VOWELS:
            pieces[index] = mark + pieces[index]
            return


def _japanese_phoneme(phoneme: str, follower: str) -> str:
    if phoneme in _DEVOICED:
        return "" if follower in _VOICELESS or not follower else _DEVOICED[phoneme]
    if phoneme == "N":
        return _moraic_nasal(follower)
    if phoneme == "cl":
        return _geminate(follower)
    if phoneme == "h" and follower in ("i", "I"):
        return "C"
    return _JAPANESE.get(phoneme, phoneme)


def _moraic_nasal(follower: str) -> str:
    if follower in _LABIAL:
        return "m"
    if follower in _DENTAL:
        return "n"
    return "N" if follower in _VELAR else "N\\"


def _geminate(follower: str) -> str:
    if follower in ("ch", "ts"):
        return "t"
    return _JAPANESE.get(follower, follower).removesuffix("_j") if follower else ""


# --- Mandarin: initials and finals back to pinyin -----------------------------------------------------------


@cache
def _pinyin_of() -> dict[tuple[str, str], str]:
    table = json.loads(resources.files("edge.text").joinpath("data/pinyin.json").read_text("utf-8"))
    spelled: dict[tuple[str, str], str] = {}
    for syllable, symbols in table.items():
        onset, rime = symbols.split()
        spelled.setdefault((onset, rime), syllable.replace("v", "ü") if onset in "nl" else syllable)
    return spelled


def mandarin_syllables(phonemes: Sequence[str]) -> list[str]:
    """Give pinyin with tone digits, e.g. ``["ni3", "hao3"]``, for onsets and toned rimes in turn."""
    if len(phonemes) % 2:
        raise ValueError(f"Mandarin phonemes come in pairs of onset and rime, got {phonemes}")
    pairs = zip(phonemes[::2], phonemes[1::2], strict=True)
    return [_pinyin_of()[onset, rime[:-1]] + rime[-1] for onset, rime in pairs]


# --- Whole lines --------------------------------------------------------------------------------------------


def espeak_text(reading: Reading, language: str) -> str:
    """Write a line for espeak-ng: words in mnemonics or pinyin, punctuation where it was.

    Raises:
        KeyError: a phoneme that espeak's voice for this language has no name for.
        ValueError: Mandarin with something else in between.
    """
    clauses = []
    for words, mark in _clauses(reading):
        if words:
            clauses.append(_write_clause(words, language))
        clauses.append(_MARKS[mark])
    return " ".join(clauses).replace(" ,", ",").replace(" .", ".").replace(" ?", "?").replace(" !", "!")


_Words = list[tuple[str, tuple[str, ...]]]


def _clauses(reading: Reading) -> Iterator[tuple[_Words, str]]:
    """Yield the words of each clause with the mark that ends it."""
    starts = {word.start: word for word in reading.words}
    words: _Words = []
    index = 0
    while index < len(reading.phonemes):
        symbol = reading.phonemes[index]
        word = starts.get(index)
        if word is not None and word.end > word.start:
            words.append((word.text, reading.phonemes[word.start : word.end]))
            index = word.end
            continue
        if symbol not in PUNCTUATION:
            raise KeyError(symbol)
        yield words, symbol
        words = []
        index += 1
    if words:
        yield words, "."


def _write_clause(words: _Words, language: str) -> str:
    if language == "zh":
        return " ".join(syllable for _, phonemes in words for syllable in mandarin_syllables(phonemes))
    if language == "ja":
        return f"[[{' '.join(japanese_phrase(phrase) for phrase in _accent_phrases(words))}]]"
    alone = len(words) == 1
    spoken = [english_word(p, stressed=alone or text.lower() not in _FUNCTION_WORDS) for text, p in words]
    return f"[[{' '.join(spoken)}]]"


def _accent_phrases(words: _Words) -> Iterator[tuple[str, ...]]:
    """Join particles to the word before them: a new accent phrase starts at a rise or a second fall."""
    phrase: tuple[str, ...] = ()
    for _, phonemes in words:
        starts_new = "[" in phonemes or ("]" in phonemes and "]" in phrase)
        if phrase and starts_new:
            yield phrase
            phrase = ()
        phrase += phonemes
    if phrase:
        yield phrase
