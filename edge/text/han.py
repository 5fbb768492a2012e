"""Han characters told apart, Chinese or Japanese: by their forms, by words, by the voice's languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from .scripts import HAN
from .symbols import DATA
from .zh.dictionary import ChineseDictionary

_RUN = re.compile(f"[{HAN}]+")
# Words that no Japanese line has in this form, though their characters are all in Japanese use.
_CHINESE_WORDS = re.compile(
    "[你您她很吧啊呢哪怎么什咱谢哦嗯]|我[们是的看想要有在也不去来吃用喜最叫]|不[是要会]|也是|的是|[是有]的|没有|一个|可以"
)
# What Chinese calls and greets with, in characters that Japanese has too and puts together otherwise.
_CHINESE_CALLS = re.compile(
    "大家好|原[来來](?:如此|是)|[早晚]上好|[上下中]午好|(?:^|[^\u3400-\u9fff])(?:住手|救命|小心|早安|晚安|再会|放手|放心|站住|快走|"
    "不行|不好|不要|不可能|不用|加油|出去|回来|上去|下去|老天|天[哪呀]|来人|在下|告辞|且慢|住口|停下|別[走急怕])"
    "(?=$|[^\u3400-\u9fff])|[早晚]上(?=去|来|再)"
)
_CHINESE_LINKS = re.compile("[和跟与或是的在有叫吃去看]{1,2}")
# Pronouns and particles of Chinese that Japanese has inside words only: 他人, 自我, 完了.
_CHINESE_GRAMMAR = re.compile(
    "他(?![人国方社界殺力言日])|(?<![自怪無忘彼没])我(?![々慢流儘家輩])|(?<!国)是(?![非正認])|等等|"
    "(?<=.)(?<![完終修魅満校読投])了(?=$|[^\u3400-\u9fff])|[的得](?=$|[，。！？])"
)


def han_language(text: str, own: Sequence[str] = ()) -> str:
    """``zh`` or ``ja`` for a line without kana.

    Args:
        text: its Han characters.
        own: languages of the voice, the first one first; empty if it is not known.
    """
    known = [language for language in own if language in ("zh", "ja")]
    if len(known) == 1:
        return known[0]
    if is_chinese(text):
        return "zh"
    if has_japanese_characters(text):
        return "zh" if has_chinese_only_words(text) else "ja"  # 今天去渋谷
    return "ja" if known[:1] == ["ja"] and not has_chinese_only_words(text) else "zh"


def is_chinese(text: str) -> bool:
    """Whether a run has words or characters of Chinese alone."""
    return _CHINESE_WORDS.search(text) is not None or any(map(_is_chinese_only, text))


def is_link(text: str) -> bool:
    """Whether a run is a word that joins others in Chinese: 和, 是."""
    return _CHINESE_LINKS.fullmatch(text) is not None


def has_japanese_characters(text: str) -> bool:
    """Whether a character was simplified in Japan alone: 駅, 気, 図."""
    return any(map(_is_japanese_only, text))


def has_chinese_only_words(text: str) -> bool:
    """Whether a sentence without kana has words that Japanese lacks: 今天下雨, 知道了."""
    if _CHINESE_GRAMMAR.search(text) or _CHINESE_CALLS.search(text):
        return True
    words, dictionary = _words()
    return any(word in words for run in _RUN.findall(text) for word in dictionary.segment(run[:_LONGEST]))


_LONGEST = 60  # characters of a run that are looked at


@lru_cache(maxsize=1)
def _words() -> tuple[frozenset[str], ChineseDictionary]:
    lines = (DATA / "zh_only_words.txt").read_text(encoding="utf-8").splitlines()
    words = frozenset(word for line in lines if not line.startswith("#") for word in line.split())
    return words, ChineseDictionary()


@lru_cache(maxsize=4096)
def _is_chinese_only(character: str) -> bool:
    """Whether a character is simplified Chinese and has no place in Japanese character sets."""
    return not _encodes(character, "cp932") and _encodes(character, "gb2312")


@lru_cache(maxsize=4096)
def _is_japanese_only(character: str) -> bool:
    if character in "〇々〆ヶ":
        return False  # in Chinese lines too
    return (
        _encodes(character, "cp932") and not _encodes(character, "gb2312") and not _encodes(character, "big5")
    )


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
