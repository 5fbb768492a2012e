"""Third tones in a row: all but the last of a foot become second tones."""

from __future__ import annotations

from collections.abc import Sequence

from .word import ChineseWord, with_tone

_PREFIXES = "小老总好纸冷"  # 小|老鼠
_NOT_PREFIXED = (
    "总统",
    "总理",
    "总管",
    "总体",
    "总裁",
    "小组",
    "小姐",
    "老板",
    "老虎",
    "老鼠",
    "好几",
)  # 小组|长
# A run of third tones as (word index, first syllable, one past the last).
_Part = tuple[int, int, int]


def third_tones(words: Sequence[ChineseWord]) -> None:
    """All third tones of a foot but the last become second tones.

    A foot is a word, or words of one syllable with their neighbour: 我|很|好 -> 我 [很好],
    可以|走 -> [可以走]. Between two longer words nothing changes (可以|选择 -> ke2 yi3 xuan3 ze2).
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
    """The syllable inside a longer word that keeps its tone, or -1: 纸|老虎, 展览馆, 屈指|可数."""
    if len(word.text) == 3:
        return 0 if word.text[0] in _PREFIXES and word.text[:2] not in _NOT_PREFIXED else -1
    return 1 if len(word.text) == 4 else -1
