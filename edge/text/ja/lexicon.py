"""The show's own words in Japanese text.

Before the analysis each is replaced by a place name that Open JTalk always keeps whole, so that particles and
endings beside it are read and accented as after any other name; afterwards it takes its place back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest

from .normalize import normalize
from .words import FALL, MORA_ENDS, RISE, JapaneseWord, analyse

_FLAT_NAME, _ACCENTED_NAME = "ホノルル", "モザンビーク"
_KATAKANA = re.compile(r"[ァ-ヺー]")


@dataclass(frozen=True)
class _Match:
    start: int
    word: str


class JapaneseLexicon:
    """Lexicon words, and the analysis of text that may hold them."""

    def __init__(self, entries: Mapping[str, tuple[str, ...]]) -> None:
        """Take words as they are written, with their symbols and pitch marks."""
        self.entries = entries
        self._symbols = {"".join(span.text for span in normalize(word)): entries[word] for word in entries}
        self._lengths = sorted({len(word) for word in self._symbols}, reverse=True)

    def analyse(self, text: str) -> list[JapaneseWord]:
        """Read a clause as ``japanese_words.analyse`` does; the longest lexicon word at a place wins."""
        matches = self._matches(text)
        if not matches:
            return analyse(text)
        stand_in, origins, names = self._replace(text, matches)
        words = []
        for word in analyse(stand_in):
            name = names.pop(word.start, None)
            if name is not None and word.end != word.start + len(self._name(name)):
                return self._analyse_apart(text, matches)
            start, end = origins[word.start], origins[max(word.start, word.end - 1)] + 1
            if name is None:
                words.append(replace(word, start=start, end=end))
            else:
                words.append(self._put_back(word, name, start))
        return self._analyse_apart(text, matches) if names else _only_heard_falls(words)

    def _matches(self, text: str) -> list[_Match]:
        matches = []
        start = 0
        while start < len(text):
            word = next(
                (text[start : start + n] for n in self._lengths if self._stands_at(text, start, n)), ""
            )
            if word:
                matches.append(_Match(start, word))
            start += max(1, len(word))
        return matches

    def _stands_at(self, text: str, start: int, length: int) -> bool:
        """A katakana word must not be the middle of a longer one: ノア is not in ノアール."""
        end = start + length
        if text[start:end] not in self._symbols:
            return False
        before, after = text[start - 1 : start] if start else "", text[end : end + 1]
        inside_left = _KATAKANA.match(before) and _KATAKANA.match(text[start])
        inside_right = _KATAKANA.match(after) and _KATAKANA.match(text[end - 1])
        return not (inside_left or inside_right)

    def _name(self, word: str) -> str:
        return _ACCENTED_NAME if FALL in self._symbols[word] else _FLAT_NAME

    def _replace(self, text: str, matches: list[_Match]) -> tuple[str, list[int], dict[int, str]]:
        """Give the text with names in it, where its characters come from, and where the names are."""
        stand_in, end = "", 0
        origins: list[int] = []
        names: dict[int, str] = {}
        for match in matches:
            stand_in += text[end : match.start]
            origins += range(end, match.start)
            name = self._name(match.word)
            names[len(stand_in)] = match.word
            stand_in += name
            end = match.start + len(match.word)
            origins += [match.start] * (len(name) - 1) + [end - 1]
        return stand_in + text[end:], [*origins, *range(end, len(text))], names

    def _put_back(self, word: JapaneseWord, name: str, start: int) -> JapaneseWord:
        symbols = self._symbols[name]
        if word.late_accent:  # in a compound only the last part falls
            symbols = _without_fall(symbols)
        if not word.opens_phrase:
            symbols = tuple(symbol for symbol in symbols if symbol != RISE)
        return replace(word, surface=name, phonemes=symbols, start=start, end=start + len(name))

    def _analyse_apart(self, text: str, matches: list[_Match]) -> list[JapaneseWord]:
        """Read what stands between the lexicon words on its own, where Open JTalk has broken a name up."""
        words: list[JapaneseWord] = []
        end = 0
        for match in [*matches, _Match(len(text), "")]:
            if match.start > end:
                between = analyse(text[end : match.start])
                words += [replace(word, start=word.start + end, end=word.end + end) for word in between]
            end = match.start + len(match.word)
            if match.word:
                words.append(JapaneseWord(match.word, self._symbols[match.word], match.start, end))
        return words


def _only_heard_falls(words: list[JapaneseWord]) -> list[JapaneseWord]:
    """A fall after the last mora of a phrase is not heard, and Open JTalk does not mark it either."""
    result = []
    for word, following in zip_longest(words, words[1:]):
        if word.phonemes[-1] == FALL and (following is None or following.opens_phrase):
            word = replace(word, phonemes=word.phonemes[:-1])
        result.append(word)
    return result


def _without_fall(symbols: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the pitch high to the end, from the second mora on."""
    sounds = [symbol for symbol in symbols if symbol not in (RISE, FALL)]
    first = next((index for index, symbol in enumerate(sounds, 1) if symbol in MORA_ENDS), len(sounds))
    return (*sounds[:first], RISE, *sounds[first:])
