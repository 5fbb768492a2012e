"""Tone changes of Mandarin in connected speech: neutral tones, 一, 不, third tones, 儿, in this order.

All passes work on the words of one clause and change their syllables in place.
"""

from __future__ import annotations

from collections.abc import Sequence

from .chinese_word import ChineseWord, tone, with_tone

_DIGITS = "零〇一二三四五六七八九幺"
_ORDINAL_NOUNS = "月号楼等级"  # 一楼, 一等: the first one, said yi1
_TAKES_SANDHI_AFTER = "这那每某另同有任哪不"  # 这一, 不一: words that end in 一 and lean on what follows
_KEEPS_ONE_BEFORE = "统唯专单划合归如之第逐"  # 统一战线, 之一: 一 closes a thought inside a longer word
_NOT_COMPLEMENT_AFTER = "要绝决毫从并岂何莫可再永都也就还又更若尚"  # 要不然, 可不是: 不 is not inside a verb here
_COMPLEMENTS = "见清完着了起到动住掉懂及定透尽"  # 说|不|清, where the list has no such word
_CROSSING_VERBS = "走飞穿越路经跳跨闪掠渡绕翻度错超驶划躲"  # 走过 is to cross, not to have walked
_EXPERIENCES = "去看说听来吃用做见读写想学到住玩买问爱恨有试碰"  # 去过: to have been to
_DIRECTIONS_COME = ("起来", "出来", "进来", "回来", "过来", "下来", "上来", "开来")
_DIRECTIONS_GO = ("出去", "进去", "回去", "过去", "下去", "上去")
_NOT_PLACES = ("公里", "英里", "千里", "万里", "百里", "海里", "故里", "邻里", "乡里", "表里", "华里", "方圆百里")
_PREFIXES = "小老总好纸冷"  # 小|老鼠
_NOT_PREFIXED = ("小组", "小姐", "老板", "老虎", "老鼠", "好几")  # 小组|长
# 儿 is a syllable of its own here, not a suffix.
_CHILD_WORDS = frozenset(
    "女儿 婴儿 幼儿 孤儿 胎儿 男儿 健儿 宠儿 少儿 小儿 孩儿 混血儿 弃儿 患儿 育儿 新生儿 早产儿 畸形儿 试管婴儿 生儿 "
    "托儿 产儿 娇儿 爱儿 孙儿 侄儿 犬儿 吾儿 我儿 儿 妻儿 双胞胎儿 流浪儿 弄潮儿 低能儿 幸运儿 佼佼者儿".split()
)


def apply_sandhi(words: Sequence[ChineseWord]) -> None:
    """Change the tones of a clause to those that are spoken."""
    for index, word in enumerate(words):
        if not word.is_fixed:
            _neutral_in_word(word)
            _neutral_after(words[index - 1] if index else None, word, words[index + 1] if index + 1 < len(words) else None)
    characters = _Characters(words)
    for position, character in enumerate(characters.text):
        if character == "一":
            characters.set_tone(position, _tone_of_one(characters, position))
        elif character == "不":
            characters.set_tone(position, _tone_of_not(characters, position))
    _third_tones(words)
    _retroflex(words)


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
        return position >= 0 and len(self.word(position)) == 1 and self.words[self.where[position][0]].pos in "va"

    def set_tone(self, position: int, digit: str) -> None:
        word, index = self.where[position]
        if digit and not self.words[word].is_fixed:
            syllables = self.words[word].syllables
            syllables[index] = with_tone(syllables[index], digit)


def _neutral_in_word(word: ChineseWord) -> None:
    """Suffixes and doubled verbs."""
    text, syllables = word.text, word.syllables
    last = ""
    if len(text) > 1 and text.endswith("们"):
        last = "5"
    elif len(text) > 2 and text.endswith(_DIRECTIONS_COME + _DIRECTIONS_GO) and word.pos == "v":
        last = "5"
    elif len(text) == 2 and text[1] == "过" and text[0] in _EXPERIENCES:
        last = "5"
    elif len(text) > 1 and text.endswith("里") and word.pos in "nsftr" and not text.endswith(_NOT_PLACES):
        last = "5"
    elif len(text) == 2 and text[0] == text[1] and word.pos == "v":
        last = "5"
        if tone(syllables[0]) == "3":  # 想想 xiang2 xiang5: the lost third tone still changes the first
            syllables[0] = with_tone(syllables[0], "2")
    if last:
        syllables[-1] = with_tone(syllables[-1], last)


def _neutral_after(before: ChineseWord | None, word: ChineseWord, after: ChineseWord | None) -> None:
    """Words that lose their tone behind another one: 走过去, 桌子上, 屋子里, 去过."""
    if before is None:
        return
    if _is_direction(before, word, after):
        word.syllables[-1] = with_tone(word.syllables[-1], "5")
    elif word.text == "们" or (word.text == "里" and before.pos in "nsftr"):
        word.syllables[0] = with_tone(word.syllables[0], "5")
    elif word.text == "上" and before.pos in "ns" and (after is None or after.pos in "uvdpacy"):
        word.syllables[0] = "shang5"
    elif word.text == "过" and before.pos == "v" and before.text not in _CROSSING_VERBS and (after is None or after.pos in "uyrmn"):
        word.syllables[0] = "guo5"


def _is_direction(before: ChineseWord, word: ChineseWord, after: ChineseWord | None) -> bool:
    """Whether 来 or 去 says where the verb before it goes: 走|过去, 冲了|过去, 坐下|去; but 说|过去|的: of the past."""
    if word.text in ("来", "去"):
        return before.pos == "v" and len(before.text) > 1 and before.text[-1] in "下上起进出回过开"
    if word.text not in _DIRECTIONS_COME + _DIRECTIONS_GO or (before.pos != "v" and before.text != "了"):
        return False
    return word.text != "过去" or after is None or after.text != "的"


def _retroflex(words: Sequence[ChineseWord]) -> None:
    """儿 as a suffix takes the tone of the syllable before it, as in the teacher's front end."""
    previous: ChineseWord | None = None
    for word in words:
        if word.text.endswith("儿") and not word.is_fixed and not _is_child(word):
            carrier = word.syllables[-2] if len(word.text) > 1 else previous.syllables[-1] if previous else ""
            if carrier:
                word.syllables[-1] = "er" + tone(carrier)
        previous = word


def _is_child(word: ChineseWord) -> bool:
    return len(word.text) > 1 and (word.text in _CHILD_WORDS or word.text[-2:] in _CHILD_WORDS)


def _tone_of_one(clause: _Characters, position: int) -> str:
    """一: yi2 before a fourth tone, yi4 before the others, yi1 as a number or at the end of a thought."""
    before, after = clause.at(position - 1), clause.at(position + 1)
    if before and before == after and clause.at(position - 2) != "一":
        return "5"  # 看一看, but not 一步一步
    if _is_number_one(before, after) or _is_last_of_number(clause, position):
        return "1"
    if (before and before in _KEEPS_ONE_BEFORE) or after in _ORDINAL_NOUNS or (before == "月" and after == "日"):
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
    follows_number = clause.at(position - 1) in ("点", "比") and clause.at(position - 2) in tuple(_DIGITS + "十")
    return follows_number and clause.at(position + 1) not in ("刻", "百", "千", "万")


def _tone_of_not(clause: _Characters, position: int) -> str:
    """不: bu2 before a fourth tone, bu5 between verb and complement or between two equal words."""
    before, after = clause.at(position - 1), clause.at(position + 1)
    word = clause.word(position)
    if before and before == after:
        return "5"
    if len(word) == 3 and word[1] == "不" and word[0] not in _NOT_COMPLEMENT_AFTER:
        return "5"
    if after and after in _COMPLEMENTS and word in ("不", "不" + after) and clause.is_single_verb(position - 1):
        return "5"
    return "2" if after and clause.tone(position + 1) == "4" else "4"


# A run of third tones as (word index, first syllable, one past the last).
_Part = tuple[int, int, int]


def _third_tones(words: Sequence[ChineseWord]) -> None:
    """All third tones of a foot but the last become second tones.

    A foot is a word, or words of one syllable with their neighbour: 我|很|好 -> 我 [很好], 可以|走 -> [可以走].
    Between two longer words nothing changes (可以|选择 -> ke2 yi3 xuan3 ze2).
    """
    run: list[_Part] = []
    for index, word in enumerate(words):
        for part in _third_tone_parts(word, index):
            if part[1] > 0 or (run and not _reaches_end(words, run[-1], index)):
                _change_run(words, run)
                run = []
            run.append(part)
    _change_run(words, run)


def _reaches_end(words: Sequence[ChineseWord], part: _Part, index: int) -> bool:
    """Whether a run goes on from the end of its last word to the word at ``index``."""
    return part[0] == index - 1 and part[2] == len(words[part[0]].syllables)


def _third_tone_parts(word: ChineseWord, index: int) -> list[_Part]:
    parts, first = [], -1
    for position, syllable in enumerate([*word.syllables, ""]):
        is_third = syllable.endswith("3")
        if is_third and first < 0:
            first = position
        elif not is_third and first >= 0:
            parts.append((index, first, position))
            first = -1
    return parts


def _change_run(words: Sequence[ChineseWord], run: Sequence[_Part]) -> None:
    end = len(run)
    while end:
        begin = _foot_start(words, run, end)
        places = [(word, i) for word, first, last in run[begin:end] for i in range(first, last)]
        kept = _inner_pause(words[run[end - 1][0]]) if len(places) > 2 and end - begin == 1 else -1
        for word, i in places[:-1]:
            if i != kept and not words[word].is_fixed:
                words[word].syllables[i] = with_tone(words[word].syllables[i], "2")
        end = begin


def _foot_start(words: Sequence[ChineseWord], run: Sequence[_Part], end: int) -> int:
    """First part of the foot that ends before part ``end``; feet are made from the right."""
    last = run[end - 1]
    is_single = len(words[last[0]].text) == 1
    if last[2] - last[1] > 1 or end < 2:
        return end - 1
    previous_is_single = len(words[run[end - 2][0]].text) == 1
    return end - 2 if is_single or previous_is_single else end - 1


def _inner_pause(word: ChineseWord) -> int:
    """The syllable inside a longer word that keeps its tone: 纸|老虎 is 1 + 2, 展览|馆 is 2 + 1, 屈指|可数 is 2 + 2."""
    if len(word.text) == 3:
        return 0 if word.text[0] in _PREFIXES and word.text[:2] not in _NOT_PREFIXED else -1
    return 1 if len(word.text) == 4 else -1
