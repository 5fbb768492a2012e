"""Reads English: written-out spans in, words with ARPAbet phonemes out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property

from .english_dictionary import PronunciationDictionary
from .english_letters import letters_to_sound
from .token import Span, Token

_PIECE = re.compile(r"[A-Za-z']+|\d+|[,.!?…\-]+|[;:—–]")
_MARKS = {";": ",", ":": ",", "—": "-", "–": "-"}
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def _cardinal(value: int) -> str:
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10] + (" " + _ONES[value % 10] if value % 10 else "")
    for size, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if value >= size:
            rest = value % size
            return _cardinal(value // size) + " " + name + (" " + _cardinal(rest) if rest else "")
    return ""


class EnglishReader:
    """The LanguageReader for English."""

    language = "en"

    @cached_property
    def _dictionary(self) -> PronunciationDictionary:
        return PronunciationDictionary()

    def warm_up(self) -> None:
        """Load the dictionary."""
        self._dictionary.get("warm")

    def normalize(self, text: str) -> list[Span]:
        """Write numbers out; everything else stays as it is."""
        spans, done = [], 0
        text = text.replace("’", "'")
        for match in re.finditer(r"\d+", text):
            if match.start() > done:
                spans.append(Span(text[done : match.start()], done, match.start()))
            digits = match.group()
            words = _cardinal(int(digits)) if len(digits) < 12 else " ".join(_ONES[int(d)] for d in digits)
            spans.append(Span(words, *match.span()))
            done = match.end()
        if done < len(text):
            spans.append(Span(text[done:], done, len(text)))
        return spans

    def read(self, spans: Sequence[Span], lexicon: Mapping[str, tuple[str, ...]]) -> list[Token]:
        """Look every word up; words the dictionary lacks go through letter-to-sound rules."""
        tokens = []
        for span in spans:
            literal = len(span.text) == span.end - span.start
            for match in _PIECE.finditer(span.text):
                start = span.start + match.start() if literal else span.start
                end = span.start + match.end() if literal else span.end
                tokens.append(self._token(match.group(), start, end, lexicon))
        return [token for token in tokens if token.phonemes]

    def _token(self, piece: str, start: int, end: int, lexicon: Mapping[str, tuple[str, ...]]) -> Token:
        if not piece[0].isalpha() and piece[0] != "'":
            mark = _MARKS.get(piece[0], piece[0])
            return Token(mark, (mark,), start, end, is_word=False)
        word = piece.strip("'").lower()
        phonemes = lexicon.get(word) or self._dictionary.get(word) or letters_to_sound(word.replace("'", ""))
        return Token(piece, phonemes, start, end)
