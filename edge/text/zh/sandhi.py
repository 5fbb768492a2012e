"""Tone changes of Mandarin in connected speech: neutral tones, 一 and 不, third tones, 儿, in this order.

All passes work on the words of one clause and change their syllables in place.
"""

from __future__ import annotations

from collections.abc import Sequence

from .neutral_tone import neutral_tones, retroflex
from .third_tone import third_tones
from .word import ChineseWord, tone, with_tone

_DIGITS = "零〇一二三四五六七八九幺"
_SUMS = "加减乘除"
_JOINS_NUMBERS = "到至比又"  # 一到三月, 一比零, 一又二分之一
_ORDINAL_WORDS = tuple("流 线 班 年级 审 中学 把手 环 品 栋 单元 路公".split())  # 一流, 一班: number one
_ORDINAL_NOUNS = "月号楼等级"  # 一楼, 一等: the first one, said yi1
_TAKES_SANDHI_AFTER = "这那每某另同有任哪不"  # 这一, 不一: words that end in 一 and lean on what follows
_KEEPS_ONE_BEFORE = "统唯专单划合归如之第逐"  # 统一战线, 之一: 一 closes a thought inside a longer word
_NOT_COMPLEMENT_AFTER = "要绝决毫从并岂何莫可再永都也就还又更若尚"  # 要不然: 不 is not inside a verb here
_COMPLEMENTS = "见清完着了起到动住掉懂及定透尽"  # 说|不|清, where the list has no such word


def apply_sandhi(words: Sequence[ChineseWord]) -> None:
    """Change the tones of a clause to those that are spoken."""
    neutral_tones(words)
    characters = _Characters(words)
    for position, character in enumerate(characters.text):
        if character == "一":
            characters.set_tone(position, _tone_of_one(characters, position))
        elif character == "不":
            characters.set_tone(position, _tone_of_not(characters, position))
    third_tones(words)
    retroflex(words)


class _Characters:
    """Flat view of a clause: character i is syllable ``where[i]`` of a word."""

    def __init__(self, words: Sequence[ChineseWord]) -> None:
        self.words = words
        self.text = "".join(word.text for word in words)
        self.where = [(w, i) for w, word in enumerate(words) for i in range(len(word.text))]

    def at(self, position: int) -> str:
        """The character at a position, empty outside the clause."""
        return self.text[position] if 0 <= position < len(self.text) else ""

    def tone(self, position: int) -> str:
        if position >= len(self.where):
            return ""
        word, index = self.where[position]
        return tone(self.words[word].syllables[index])

    def is_word_end(self, position: int) -> bool:
        word, index = self.where[position]
        return index == len(self.words[word].text) - 1

    def word(self, position: int) -> str:
        return self.words[self.where[position][0]].text

    def is_single_verb(self, position: int) -> bool:
        """Whether the character is a verb or adjective of one syllable."""
        return (
            position >= 0
            and len(self.word(position)) == 1
            and self.words[self.where[position][0]].pos in "va"
        )

    def set_tone(self, position: int, digit: str) -> None:
        word, index = self.where[position]
        if digit and not self.words[word].is_fixed:
            syllables = self.words[word].syllables
            syllables[index] = with_tone(syllables[index], digit)


def _tone_of_one(clause: _Characters, position: int) -> str:
    """一: yi2 before a fourth tone, yi4 before the others, yi1 as a number or at the end of a thought."""
    before, after = clause.at(position - 1), clause.at(position + 1)
    if _is_number_one(before, after) or _is_last_of_number(clause, position):
        return "1"
    if before and before == after and clause.at(position - 2) != "一":
        return "5"  # 看一看, but not 一步一步
    if after and after in _SUMS and clause.at(position + 2) in tuple(_DIGITS + "十以"):
        return "1"  # 一加二, 一减一
    if after and after in _JOINS_NUMBERS and clause.at(position + 2) in tuple(_DIGITS + "十两百半"):
        return "1"
    if (
        clause.text.startswith(_ORDINAL_WORDS, position + 1)
        or (before and before in _KEEPS_ONE_BEFORE)
        or after in _ORDINAL_NOUNS
        or (before == "月" and after == "日")
    ):
        return "1"
    word = clause.word(position)
    if len(word) > 1 and clause.is_word_end(position) and word[0] not in _TAKES_SANDHI_AFTER:
        return "1"
    return "2" if clause.tone(position + 1) == "4" else "4"


def _is_number_one(before: str, after: str) -> bool:
    """Whether 一 is a digit among digits, stands before 十, or closes the clause."""
    return not after or after in _DIGITS + "十" or (before != "" and before in _DIGITS + "十")


def _is_last_of_number(clause: _Characters, position: int) -> bool:
    """Whether 一 ends a decimal or a score: 三点一, 三比一; but 三点一刻 is a quarter past."""
    follows_number = clause.at(position - 1) in ("点", "比") and clause.at(position - 2) in tuple(
        _DIGITS + "十"
    )
    return follows_number and clause.at(position + 1) not in ("刻", "百", "千", "万", "点")  # 一点一点


def _tone_of_not(clause: _Characters, position: int) -> str:
    """不: bu2 before a fourth tone, bu5 between verb and complement or between two equal words."""
    before, after = clause.at(position - 1), clause.at(position + 1)
    word = clause.word(position)
    if before and before == after:
        return "5"
    if len(word) == 3 and word[1] == "不" and word[0] not in _NOT_COMPLEMENT_AFTER:
        return "5"
    if (
        after
        and after in _COMPLEMENTS
        and word in ("不", "不" + after)
        and clause.is_single_verb(position - 1)
    ):
        return "5"
    return "2" if after and clause.tone(position + 1) == "4" else "4"
