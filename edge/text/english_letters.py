"""Letter to sound: phonemes for words that no dictionary has."""

from __future__ import annotations

_RULES: dict[str, str] = {
    "tion": "SH AH0 N", "sion": "ZH AH0 N", "ough": "AO1", "augh": "AO1", "eigh": "EY1", "igh": "AY1", "tch": "CH",
    "sch": "SH", "dge": "JH", "ing": "IH0 NG", "qu": "K W", "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "wh": "W",
    "ck": "K", "ng": "NG", "kn": "N", "wr": "R", "ee": "IY1", "ea": "IY1", "oo": "UW1", "ou": "AW1", "ow": "OW1",
    "oa": "OW1", "oi": "OY1", "oy": "OY1", "ai": "EY1", "ay": "EY1", "au": "AO1", "aw": "AO1", "ew": "UW1",
    "ie": "IY1", "ei": "EY1", "er": "ER0", "ir": "ER1", "ur": "ER1", "ar": "AA1 R", "or": "AO1 R", "a": "AE1",
    "b": "B", "c": "K", "d": "D", "e": "EH1", "f": "F", "g": "G", "h": "HH", "i": "IH1", "j": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "o": "AA1", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH1", "v": "V",
    "w": "W", "x": "K S", "y": "IY0", "z": "Z",
}  # fmt: skip


def letters_to_sound(word: str) -> tuple[str, ...]:
    """Greedy longest-match reading of a lower-case word."""
    phonemes: list[str] = []
    position = 0
    while position < len(word):
        for length in (4, 3, 2, 1):
            sound = _RULES.get(word[position : position + length])
            if sound is not None:
                phonemes += sound.split()
                break
        position += length
    return tuple(phonemes)
