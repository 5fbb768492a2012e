"""Japanese text to words with symbols and pitch marks, by Open JTalk's dictionary and accent rules.

Only the dictionary inside the pyopenjtalk-plus wheel is used. Its Sudachi step is left out: it costs 84 MB
and 430 ms once, and on 75 phrases with ambiguous kanji it changed five readings, two of them for the worse
(ヒョー for 表に出る). Its small network for 何 is kept (0.3 ms, no further memory). Measured on one x86 core.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from typing import Any

from .repairs import repair_readings

RISE, FALL = "[", "]"
MORA_ENDS = frozenset("aeiouAEIOUN") | {"cl"}
_MOST_ANSWERS = 1024
_DIGITS = "〇一二三四五六七八九"
_PLACE_UNITS = "十百千万億兆京"
_POINT = "．"
_NUMERALS = _DIGITS + _PLACE_UNITS + _POINT + "０１２３４５６７８９"
_KANJI_DIGITS = str.maketrans("0123456789０１２３４５６７８９.", "〇一二三四五六七八九〇一二三四五六七八九．")

# Sounds that Open JTalk knows and the inventory lacks: the nearest spelling in symbols that it has.
SUBSTITUTES = {
    "A": ("a",),
    "E": ("e",),
    "O": ("o",),
    "ty": ("t", "y"),
    "fy": ("f", "y"),
    "vy": ("v", "y"),
    "kw": ("k", "w"),
    "gw": ("g", "w"),
}


@dataclass(frozen=True)
class JapaneseWord:
    """One morpheme, or a few that are heard as one word."""

    surface: str
    """As written in the analysed text, numbers in kanji."""
    phonemes: tuple[str, ...]
    """Inventory symbols with pitch marks."""
    start: int
    """Index of its first character in the analysed text."""
    end: int
    """Index after its last character."""
    leans: bool = False
    """Heard as part of the word before it (た, です, counters)."""
    opens_phrase: bool = True
    """The first of its accent phrase."""
    late_accent: bool = False
    """The fall of its accent phrase comes after this word."""


def analyse(text: str) -> list[JapaneseWord]:
    """Read a clause.

    Args:
        text: Japanese without sentence marks; digits may be Arabic.

    Returns:
        Words in order; characters that have no sound (brackets, symbols) belong to none.
    """
    open_jtalk = _open_jtalk()
    features: list[Any] = open_jtalk.run_frontend(text, use_sudachi_kanji_yomi=False)
    repair_readings(features)
    morphemes = open_jtalk.make_phoneme_mapping(features)
    folded = text.translate(_KANJI_DIGITS)
    words: list[JapaneseWord] = []
    cursor = 0
    for phrase in _accent_phrases(morphemes):
        for morpheme, (phonemes, late) in zip(phrase, _mark_pitch(phrase), strict=True):
            start, cursor = _locate(morpheme["surface"], folded, cursor)
            if phonemes:
                leans = bool(words) and _leans(morpheme, words[-1], folded[words[-1].end : start])
                opens = morpheme is phrase[0]
                words.append(JapaneseWord(morpheme["surface"], phonemes, start, cursor, leans, opens, late))
    return words


@lru_cache(maxsize=1)
def _open_jtalk() -> Any:
    """The library, kept from loading Sudachi for kanji it does not know: it reads those by Unihan."""
    library: Any = import_module("pyopenjtalk")
    read_unknown_kanji = library.read_unknown_kanji
    library.read_unknown_kanji = lambda features, text=None: read_unknown_kanji(features, None)
    _remember_answers()
    return library


def _remember_answers() -> None:
    """Keep what the network for 何 has said of a following word: it looks at the word's grammar alone."""
    utils: Any = import_module("pyopenjtalk.utils")
    columns: Sequence[str] = import_module("pyopenjtalk.yomi_model.nani_predict").X_COLS
    predict = utils.predict
    answers: dict[tuple[str, ...], int] = {}

    def remembered(following: list[Any]) -> int:
        if len(following) != 1 or following[0] is None:
            return int(predict(following))
        key = tuple(following[0][column] for column in columns)
        if key not in answers:
            if len(answers) >= _MOST_ANSWERS:
                answers.clear()
            answers[key] = int(predict(following))
        return answers[key]

    utils.predict = remembered


def join_leaning(words: Sequence[JapaneseWord]) -> list[JapaneseWord]:
    """Join each word that leans with the one before it."""
    joined: list[JapaneseWord] = []
    for word in words:
        if joined and word.leans:
            last = joined[-1]
            joined[-1] = replace(
                last,
                surface=last.surface + word.surface,
                phonemes=last.phonemes + word.phonemes,
                end=max(last.end, word.end),
            )
        else:
            joined.append(word)
    return joined


def _accent_phrases(morphemes: Sequence[Any]) -> list[list[Any]]:
    phrases: list[list[Any]] = []
    for morpheme in morphemes:
        if not phrases or morpheme["chain_flag"] != 1 or not phrases[-1][-1]["mora_count"]:
            phrases.append([])
        phrases[-1].append(morpheme)
    return phrases


def _mark_pitch(phrase: Sequence[Any]) -> list[tuple[tuple[str, ...], bool]]:
    """Give each morpheme's symbols, and whether the fall comes after it.

    Pitch is low on the first mora of a phrase and rises after it, unless the accent is there; it falls after
    the accented mora. A fall after the last mora is not marked: it is not heard.

    Source: the accent marks of ESPnet's Japanese front end, which the teacher's symbols follow.
    """
    accent = phrase[0]["accent_nucleus"]
    sounds = [[sound for sound in morpheme["phonemes"] if sound not in ("pau", "unk")] for morpheme in phrase]
    n_morae = sum(sound in MORA_ENDS for group in sounds for sound in group)
    mora = 0
    result = []
    for group in sounds:
        symbols: list[str] = []
        for sound in group:
            symbols.extend(SUBSTITUTES.get(sound, (sound,)))
            if sound not in MORA_ENDS:
                continue
            mora += 1
            if mora == accent and mora < n_morae:
                symbols.append(FALL)
            elif mora == 1 and n_morae > 1:
                symbols.append(RISE)
        result.append((tuple(symbols), accent > mora))
    return result


def _locate(surface: str, folded: str, cursor: int) -> tuple[int, int]:
    """Find where a morpheme stands; Open JTalk rewrites 300 as 三百, and 10日 as 十日."""
    surface = surface.translate(_KANJI_DIGITS)
    if folded.startswith(surface, cursor):
        return cursor, cursor + len(surface)
    end_of_digits = cursor
    while end_of_digits < len(folded) and folded[end_of_digits] in _DIGITS:
        end_of_digits += 1
    for length in range(len(surface), 0, -1):
        if folded.startswith(surface[-length:], end_of_digits):
            return cursor, end_of_digits + length
    if surface[0] in _PLACE_UNITS:  # written by the position of a digit only
        return cursor, cursor
    found = folded.find(surface, cursor)
    if found < 0:
        return cursor, min(cursor + len(surface), len(folded))
    return found, found + len(surface)


def _leans(morpheme: Any, previous: JapaneseWord, between: str) -> bool:
    """Tell whether a morpheme is heard as the end of the word before: た, ます, counters, further digits."""
    if between.strip(_DIGITS):
        return False
    if morpheme["pos_group1"] == "数" or morpheme["surface"] == _POINT:
        return previous.surface[-1] in _NUMERALS
    if morpheme["chain_flag"] != 1 or morpheme["ctype"] in ("特殊・デス", "特殊・ダ"):
        return False
    return morpheme["pos"] == "助動詞" or morpheme["pos_group1"] in ("接続助詞", "接尾", "非自立")
