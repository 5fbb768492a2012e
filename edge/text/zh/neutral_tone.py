"""Syllables that lose their tone behind others, and 儿 as a suffix."""

from __future__ import annotations

from collections.abc import Sequence

from .word import ChineseWord, tone, with_tone

_CROSSING_VERBS = "走飞穿越路经跳跨闪掠渡绕翻度错超驶划躲"  # 走过 is to cross, not to have walked
_EXPERIENCES = "去看说听来吃用做见读写想学到住玩买问爱恨有试碰"  # 去过: to have been to
# Verbs that are said twice to soften them: 看看, 问|问.
SOFTENED = frozenset(
    "看想试走说听问坐玩聊谈尝歇摸拍笑动讲写读学教找猜算查管帮救求抱亲摇挥闻瞧逛转遛跳唱念换敲翻擦洗扫捏揉晃比评见认"
    "练踩吹停拉推踢碰"
)
_ECHOES = ("哪里", "小姐")  # na2 li5: words that lose a third tone, which still changes the one before it
_DIRECTIONS = tuple("起来 出来 进来 回来 过来 下来 上来 开来 出去 进去 回去 过去 下去 上去".split())
_NOT_PLACES = tuple("公里 英里 千里 万里 百里 海里 故里 邻里 乡里 表里 华里".split())
# 儿 is a syllable of its own here, not a suffix.
_CHILD_WORDS = frozenset(
    "女儿 婴儿 幼儿 孤儿 胎儿 男儿 健儿 宠儿 少儿 小儿 孩儿 混血儿 弃儿 患儿 育儿 新生儿 早产儿 畸形儿 "
    "生儿 托儿 产儿 娇儿 爱儿 孙儿 侄儿 犬儿 吾儿 我儿 妻儿 流浪儿 弄潮儿 低能儿 幸运儿 "
    "婉儿 雪儿 凤儿 慧儿 敏儿 倩儿 翠儿 静儿 宝儿 秀儿".split()
)


def neutral_tones(words: Sequence[ChineseWord]) -> None:
    """Suffixes, doubled verbs and directions, in place."""
    for index, word in enumerate(words):
        if not word.is_fixed:
            _in_word(word)
            if index:
                _after_word(words[index - 1], word, words[index + 1] if index + 1 < len(words) else None)


def _in_word(word: ChineseWord) -> None:
    text, syllables = word.text, word.syllables
    for pair in _ECHOES:
        at = text.find(pair)
        if at >= 0 and syllables[at + 1][-1] == "5":
            _soften(word, at, word, at + 1)
    if len(text) == 2 and text[0] == text[1] and text[0] in SOFTENED:
        _soften(word, 0, word, 1)
    elif len(text) > 1 and _loses_last_tone(text, word.pos):
        syllables[-1] = with_tone(syllables[-1], "5")


def _loses_last_tone(text: str, pos: str) -> bool:
    """我们, 站起来, 去过, 家里."""
    if text.endswith("们"):
        return True
    if text.endswith("里"):
        return pos not in "mq" and not text.endswith(_NOT_PLACES)
    if len(text) == 2:
        return text[1] == "过" and text[0] in _EXPERIENCES
    return pos == "v" and text.endswith(_DIRECTIONS)


def _soften(first: ChineseWord, i: int, second: ChineseWord, j: int) -> None:
    """想想 xiang2 xiang5: the lost third tone still changes the first one."""
    if tone(first.syllables[i]) == "3":
        first.syllables[i] = with_tone(first.syllables[i], "2")
    second.syllables[j] = with_tone(second.syllables[j], "5")


def _after_word(before: ChineseWord, word: ChineseWord, after: ChineseWord | None) -> None:
    """走|过去, 桌子|上, 屋子|里, 去|过."""
    text = word.text
    if _is_direction(before, word, after):
        word.syllables[-1] = with_tone(word.syllables[-1], "5")
    elif text == before.text and text in SOFTENED and not before.is_fixed:
        _soften(before, 0, word, 0)
    elif text == "们" or (text == "里" and before.pos not in "mq"):
        word.syllables[0] = with_tone(word.syllables[0], "5")
    elif text == "上" and before.pos in "ns" and (after is None or after.pos in "uvdpacy"):
        word.syllables[0] = "shang5"
    elif text == "过" and _is_experience(before, after):
        word.syllables[0] = "guo5"


def _is_experience(verb: ChineseWord, after: ChineseWord | None) -> bool:
    """去|过|吗: has been; not 走|过|大桥, which crosses."""
    return verb.pos == "v" and verb.text not in _CROSSING_VERBS and (after is None or after.pos in "uyrmn")


def _is_direction(before: ChineseWord, word: ChineseWord, after: ChineseWord | None) -> bool:
    """Whether 来 or 去 says where the verb before it goes: 走|过去, 冲了|过去, 坐下|去.

    Not so in 说|过去|的事: 过去 is the past there.
    """
    if word.text in ("来", "去"):
        return before.pos == "v" and len(before.text) > 1 and before.text[-1] in "下上起进出回过开"
    if word.text not in _DIRECTIONS or (before.pos != "v" and before.text != "了"):
        return False
    return word.text != "过去" or after is None or after.text != "的"


def retroflex(words: Sequence[ChineseWord]) -> None:
    """Give 儿 as a suffix the tone of the syllable before it, as the teacher's front end does."""
    previous: ChineseWord | None = None
    for word in words:
        if word.text.endswith("儿") and not word.is_fixed and not _is_child(word, previous):
            carrier = word.syllables[-2] if len(word.text) > 1 else previous.syllables[-1] if previous else ""
            if carrier:
                word.syllables[-1] = "er" + tone(carrier)
        previous = word


def _is_child(word: ChineseWord, previous: ChineseWord | None) -> bool:
    """女儿, and 儿 in names: 婉儿."""
    if len(word.text) == 1:
        return previous is not None and previous.text[-1] + word.text in _CHILD_WORDS
    return word.pos == "N" or word.text in _CHILD_WORDS or word.text[-2:] in _CHILD_WORDS
