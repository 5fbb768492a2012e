"""Japanese text to words in inventory symbols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .japanese_words import analyse, join_leaning
from .normalize_ja import normalize_ja
from .token import Span, Token

PUNCTUATION = {
    "。": ".", ".": ".", "｡": ".",
    "、": ",", ",": ",", "，": ",", "､": ",", "；": ",", ";": ",", "：": ",", ":": ",",
    "！": "!", "!": "!", "？": "?", "?": "?", "…": "…", "—": "-", "―": "-", "–": "-", "～": "…", "〜": "…",
}  # fmt: skip

_Character = tuple[str, int, int]  # character, start and end of its source


class JapaneseReader:
    """Reads Japanese with pyopenjtalk-plus and the dictionary inside its wheel; nothing is downloaded."""

    language = "ja"

    def normalize(self, text: str) -> list[Span]:
        """Write out numbers; spans cover ``text`` in order."""
        return normalize_ja(text)

    def read(self, spans: Sequence[Span], lexicon: Mapping[str, tuple[str, ...]]) -> list[Token]:
        """Turn spans into words; lexicon entries win over the dictionary."""
        characters = [
            (character, *_source(span, index)) for span in spans for index, character in enumerate(span.text)
        ]
        tokens: list[Token] = []
        for clause in _clauses(characters):
            character, start, end = clause[0]
            if character in PUNCTUATION:
                tokens.append(Token(character, (PUNCTUATION[character],), start, end, is_word=False))
            else:
                tokens.extend(_read_clause(clause))
        return tokens

    def warm_up(self) -> None:
        """Load the dictionary now."""
        analyse("準備")


def _source(span: Span, index: int) -> tuple[int, int]:
    if len(span.text) == span.end - span.start:
        return span.start + index, span.start + index + 1
    return span.start, span.end


def _clauses(characters: Sequence[_Character]) -> Iterator[list[_Character]]:
    """Split at punctuation; each mark is a clause of its own."""
    clause: list[_Character] = []
    for character in characters:
        if character[0] not in PUNCTUATION:
            clause.append(character)
            continue
        if clause:
            yield clause
        yield [character]
        clause = []
    if clause:
        yield clause


def _read_clause(clause: Sequence[_Character]) -> Iterator[Token]:
    text = "".join(character for character, _, _ in clause)
    for word in join_leaning(analyse(text)):
        last = max(word.start, word.end - 1)
        yield Token(word.surface, word.phonemes, clause[min(word.start, len(clause) - 1)][1], clause[last][2])
