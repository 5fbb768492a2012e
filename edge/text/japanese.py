"""Japanese: Open JTalk's dictionary and accent rules, read into inventory symbols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .japanese_prosody import label_phonemes
from .normalize_ja import normalize_ja
from .token import Span, Token

_PUNCTUATION = {
    "。": ".", ".": ".", "．": ".", "｡": ".",
    "、": ",", ",": ",", "，": ",", "､": ",", "；": ",", ";": ",", "：": ",", ":": ",",
    "！": "!", "!": "!", "？": "?", "?": "?", "…": "…", "—": "-", "―": "-", "–": "-", "～": "…", "〜": "…",
}  # fmt: skip


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
        for is_mark, piece in _clauses(characters):
            if is_mark:
                character, start, end = piece[0]
                tokens.append(Token(character, (_PUNCTUATION[character],), start, end, is_word=False))
            else:
                tokens.extend(_read_clause(piece))
        return tokens

    def warm_up(self) -> None:
        """Load the dictionary now."""
        _analyse("準備")


_Character = tuple[str, int, int]  # character, start and end of its source


def _source(span: Span, index: int) -> tuple[int, int]:
    if len(span.text) == span.end - span.start:
        return span.start + index, span.start + index + 1
    return span.start, span.end


def _clauses(characters: Sequence[_Character]) -> Iterator[tuple[bool, list[_Character]]]:
    clause: list[_Character] = []
    for character in characters:
        if character[0] not in _PUNCTUATION:
            clause.append(character)
            continue
        if clause:
            yield False, clause
        yield True, [character]
        clause = []
    if clause:
        yield False, clause


def _analyse(text: str) -> tuple[list[dict[str, Any]], list[str]]:
    import pyopenjtalk

    features = pyopenjtalk.run_frontend(text, use_sudachi_kanji_yomi=False, predict_nani=False)
    mapping = pyopenjtalk.make_phoneme_mapping(features)
    return [dict(entry) for entry in mapping], pyopenjtalk.make_label(features)


def _read_clause(clause: Sequence[_Character]) -> Iterator[Token]:
    text = "".join(character for character, _, _ in clause)
    words, labels = _analyse(text)
    symbols = label_phonemes(labels)
    cursor = n_used = 0
    for word in words:
        count = sum(phoneme != "pau" for phoneme in word["phonemes"])
        surface = word["surface"]
        found = text.find(surface, cursor)
        first = found if found >= 0 else min(cursor, len(text) - 1)
        last = min(first + len(surface), len(text)) - 1
        cursor = last + 1
        phonemes = tuple(symbol for group in symbols[n_used : n_used + count] for symbol in group)
        n_used += count
        if phonemes:
            yield Token(surface, phonemes, clause[first][1], clause[last][2])
