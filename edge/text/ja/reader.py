"""Japanese text to words in inventory symbols."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..token import Span, Token
from .lexicon import JapaneseLexicon
from .normalize import normalize
from .words import analyse, join_leaning

PUNCTUATION = {
    "。": ".", ".": ".", "｡": ".", "\n": ".",
    "、": ",", ",": ",", "，": ",", "､": ",", "；": ",", ";": ",", "：": ",", ":": ",",
    "！": "!", "!": "!", "？": "?", "?": "?", "…": "…", "‥": "…", "〜": "…", "～": "…", "~": "…",
    "—": "-", "―": "-", "–": "-", "─": "-",
}  # fmt: skip


@dataclass(frozen=True)
class _Character:
    text: str
    start: int  # of its source
    end: int


class JapaneseReader:
    """Reads Japanese with pyopenjtalk-plus and the dictionary inside its wheel; nothing is downloaded."""

    language = "ja"

    def __init__(self) -> None:
        self._lexicon = JapaneseLexicon({})

    def normalize(self, text: str, before: str = "", after: str = "") -> list[Span]:
        """Write out numbers and signs, and respell words that would be misread; spans cover ``text``."""
        return normalize(text, before)

    def read(self, spans: Sequence[Span], lexicon: Mapping[str, tuple[str, ...]]) -> list[Token]:
        """Turn spans into words; the longest lexicon entry at a place wins over the dictionary."""
        if lexicon is not self._lexicon.entries:
            self._lexicon = JapaneseLexicon(lexicon)
        characters = [
            _Character(character, *_source(span, index))
            for span in spans
            for index, character in enumerate(span.text)
        ]
        tokens: list[Token] = []
        for clause in _clauses(characters):
            mark = PUNCTUATION.get(clause[0].text)
            if mark:
                tokens.append(Token(clause[0].text, (mark,), clause[0].start, clause[0].end, is_word=False))
            else:
                tokens.extend(self._read_clause(clause))
        return tokens

    def warm_up(self) -> None:
        """Load the dictionary and the network for 何 now."""
        analyse("何を準備")

    def _read_clause(self, clause: Sequence[_Character]) -> Iterator[Token]:
        text = "".join(character.text for character in clause)
        for word in join_leaning(self._lexicon.analyse(text)):
            first = clause[min(word.start, len(clause) - 1)]
            last = clause[min(max(word.start, word.end - 1), len(clause) - 1)]
            surface = unicodedata.normalize("NFKC", word.surface)  # Open JTalk writes ＣＤ for CD
            yield Token(surface, word.phonemes, first.start, max(first.end, last.end))


def _source(span: Span, index: int) -> tuple[int, int]:
    if len(span.text) == span.end - span.start:
        return span.start + index, span.start + index + 1
    return span.start, span.end


def _clauses(characters: Sequence[_Character]) -> Iterator[list[_Character]]:
    """Split at punctuation; each mark is a clause of its own."""
    clause: list[_Character] = []
    for character in characters:
        if character.text not in PUNCTUATION:
            clause.append(character)
            continue
        if clause:
            yield clause
        yield [character]
        clause = []
    if clause:
        yield clause
