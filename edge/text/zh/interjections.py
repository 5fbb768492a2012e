"""Calls, coughs and doubt in Chinese: 啊啊啊 is a cry, 啊？ rises, 咳咳 is a cough and 咳！ a sigh.

Source: Xiandai Hanyu Cidian on 啊, 嗯, 哦, 欸 and 咳, whose tone tells what is meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .word import ChineseWord

_CRIES = {"啊": "a1", "呀": "ya1", "哇": "wa1", "哟": "yo1", "哦": "o4", "喔": "o4", "噢": "o4", "嗷": "ao1"}
_DOUBTS = {
    "啊": "a2", "嗯": "en2", "哦": "o2", "喔": "o2", "噢": "o2", "诶": "ei2", "欸": "ei2", "唔": "wu2",
    "哈": "ha2", "咦": "yi2", "喂": "wei2", "呃": "e2", "额": "e2", "嘿": "hei2",
}  # fmt: skip
_CALL = re.compile("[啊呀哇哟哦喔噢嗷嗯诶欸唔哈咦喂呃额嘿哎唉嘻呵哼呜嗨呦]+")
_DRAWN_OUT = re.compile(r"([啊呀哇哟哦喔噢嗷])\1+")
_COUGHS = re.compile("咳{2,}")
_COUGHED_BESIDE = re.compile(r"咳[，、,…。！!\s—-]*$")
_COUGHED_BEHIND = re.compile(r"[，、,…。！!\s—-]*咳")


def read_interjections(words: Sequence[ChineseWord], before: str, clause: str, behind: str) -> None:
    """Give the sounds of a clause the tone that they are made with, in place.

    Args:
        words: of the clause.
        before: the line before it.
        clause: its characters.
        behind: the line behind it, its mark first.
    """
    readings: dict[int, str] = {}
    if _CALL.fullmatch(clause):
        readings = {index: _CRIES[call] for index, call in enumerate(clause) if call in _CRIES}
        if behind[:1] in ("？", "?") and len(set(clause)) == 1:
            readings = dict.fromkeys(range(len(clause)), _DOUBTS.get(clause[0], ""))
    for match in _DRAWN_OUT.finditer(clause):
        if not readings:
            readings = dict.fromkeys(range(*match.span()), _CRIES[match[1]])
    for match in _COUGHS.finditer(clause):
        readings |= dict.fromkeys(range(*match.span()), "ke2")
    if clause == "咳":
        coughs = _COUGHED_BESIDE.search(before) or _COUGHED_BEHIND.match(behind)
        readings[0] = "ke2" if coughs else "hai1"
    if readings:
        _set(words, readings)


def _set(words: Sequence[ChineseWord], readings: dict[int, str]) -> None:
    place = 0
    for word in words:
        for index in range(len(word.text)):
            reading = readings.get(place + index)
            if reading and not word.is_fixed:
                word.syllables[index] = reading
        place += len(word.text)
