"""Kana to inventory symbols, for readings that a person writes by hand."""

from __future__ import annotations

import re

from .words import FALL, RISE, SUBSTITUTES

_ROWS = {
    "": "アイウエオ", "k": "カキクケコ", "g": "ガギグゲゴ", "s": "サ スセソ", "z": "ザ ズゼゾ",
    "t": "タ  テト", "d": "ダ  デド", "n": "ナニヌネノ", "h": "ハヒ ヘホ", "b": "バビブベボ",
    "p": "パピプペポ", "m": "マミムメモ", "y": "ヤ ユ ヨ", "r": "ラリルレロ", "w": "ワ    ",
}  # fmt: skip
_SINGLE = {
    "シ": "sh i", "ジ": "j i", "ヂ": "j i", "チ": "ch i", "ツ": "ts u", "ヅ": "z u", "フ": "f u",
    "ヲ": "o", "ヴ": "v u", "ン": "N", "ッ": "cl", "ヰ": "i", "ヱ": "e", "ァ": "a", "ィ": "i", "ゥ": "u",
    "ェ": "e", "ォ": "o", "ャ": "y a", "ュ": "y u", "ョ": "y o", "ヮ": "w a", "ヵ": "k a", "ヶ": "k e",
}  # fmt: skip
_GLIDE_ROWS = {
    "キ": "ky", "ギ": "gy", "シ": "sh", "ジ": "j", "チ": "ch", "ニ": "ny", "ヒ": "hy", "ビ": "by",
    "ピ": "py", "ミ": "my", "リ": "ry",
}  # fmt: skip
# Other pairs with a small kana are two morae, as Open JTalk has them.
_PAIRS = {
    "f": "フ: ァa ィi ェe ォo", "v": "ヴ: ァa ィi ェe ォo", "ts": "ツ: ァa ィi ェe ォo",
    "w": "ウ: ィi ェe ォo", "kw": "ク: ァa ィi ェe ォo ヮa", "gw": "グ: ァa ィi ェe ォo ヮa",
    "t": "テ: ィi", "d": "デ: ィi", "ty": "テ: ュu", "dy": "デ: ュu ャa ョo", "fy": "フ: ュu",
    "by": "ヴ: ュu", "t ": "ト: ゥu", "d ": "ド: ゥu", "s": "ス: ィi", "z": "ズ: ィi", "y": "イ: ェe",
}  # fmt: skip


def _build_morae() -> dict[str, tuple[str, ...]]:
    table = {kana: tuple(sounds.split()) for kana, sounds in _SINGLE.items()}
    for consonant, row in _ROWS.items():
        for kana, vowel in zip(row, "aiueo", strict=True):
            if kana != " ":
                table[kana] = (consonant, vowel) if consonant else (vowel,)
    for kana, consonant in _GLIDE_ROWS.items():
        for small, vowel in zip("ャュョェ", "auoe", strict=True):
            table[kana + small] = (consonant, vowel)
    for key, pairs in _PAIRS.items():
        kana, *smalls = pairs.replace(":", "").split()
        consonant = key.strip()
        for small in smalls:
            table[kana + small[0]] = (*SUBSTITUTES.get(consonant, (consonant,)), small[1])
    return table


_MORAE = _build_morae()
_ITEM = re.compile(
    "|".join(sorted(map(re.escape, _MORAE), key=len, reverse=True)) + r"|[ー\[\]・]|(?P<bad>.)", re.S
)
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_LONG = {"a": "a", "i": "i", "u": "u", "e": "e", "o": "o", "N": "N"}
_SPELLED_LONG = {("o", "ウ"), ("e", "イ")}


def kana_phonemes(kana: str) -> tuple[str, ...]:
    """Turn a reading into symbols with pitch marks.

    Args:
        kana: hiragana or katakana; は is always ha. ー lengthens a vowel, and so do う after an o-sound and
            い after an e-sound (とうきょう, せんせい) unless ・ stands between. ``]`` stands where the pitch
            falls, as in な]つ; without it the pitch stays high. ``[`` after the first mora may be left out.

    Raises:
        ValueError: something is not kana, or a mark stands where it has no meaning.
    """
    morae: list[tuple[str, ...]] = []
    falls: list[int] = []
    apart = False
    for match in _ITEM.finditer(kana.strip().translate(_HIRAGANA)):
        item = match[0]
        if match["bad"]:
            raise ValueError(f"{item!r} is not kana; write the reading in hiragana or katakana")
        if item == FALL:
            falls.append(len(morae))
        elif item == "・":
            apart = True
        elif item != RISE:
            morae.append(_mora(item, morae, apart))
            apart = False
    if not morae:
        raise ValueError("the reading is empty; write it in hiragana or katakana")
    if len(falls) > 1 or 0 in falls:
        raise ValueError("a word has one ']' at most, after the mora where the pitch falls")
    return _with_pitch(morae, falls[0] if falls else 0)


def _mora(item: str, morae: list[tuple[str, ...]], apart: bool) -> tuple[str, ...]:
    last = morae[-1][-1] if morae else ""
    if item == "ー":
        if last not in _LONG:
            raise ValueError("ー has no vowel before it to lengthen")
        return (_LONG[last],)
    if (last, item) in _SPELLED_LONG and not apart:
        return (last,)
    return _MORAE[item]


def _with_pitch(morae: list[tuple[str, ...]], accent: int) -> tuple[str, ...]:
    symbols: list[str] = []
    for number, mora in enumerate(morae, 1):
        symbols.extend(mora)
        if number == accent:
            symbols.append(FALL)
        elif number == 1 and len(morae) > 1:
            symbols.append(RISE)
    return tuple(symbols)
