"""Reads Mandarin: Han characters in, onset and rime symbols out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .language import HAN
from .pinyin import pinyin_symbols
from .token import Span, Token
from .tone_sandhi import apply_sandhi

_MARKS = {
    "，": ",", ",": ",", "、": ",", "；": ",", ";": ",", "：": ",", ":": ",", "。": ".", ".": ".", "．": ".",
    "！": "!", "!": "!", "？": "?", "?": "?", "…": "…", "‥": "…", "—": "-", "–": "-", "\n": ".",
}  # fmt: skip
_CHUNK = re.compile(rf"[{HAN}]+|.", re.DOTALL)
_UNSAYABLE = {"n2": "en1", "ng2": "en1", "m2": "mu3", "m4": "mu3", "hm5": "heng1"}


class ChineseReader:
    """The LanguageReader for Mandarin."""

    language = "zh"

    def normalize(self, text: str) -> list[Span]:
        """Nothing is written out yet."""
        return [Span(text, 0, len(text))] if text else []

    def read(self, spans: Sequence[Span], lexicon: Mapping[str, tuple[str, ...]]) -> list[Token]:
        """Segment, look up, apply tone sandhi."""
        text, starts, ends = _flatten(spans)
        tokens: list[Token] = []
        for match in _CHUNK.finditer(text):
            chunk = match.group()
            if chunk in _MARKS:
                at = match.start()
                tokens.append(Token(chunk, (_MARKS[chunk],), starts[at], ends[at], is_word=False))
            elif re.match(f"[{HAN}]", chunk):
                tokens.extend(_read_chunk(chunk, starts[match.start() :], ends[match.start() :]))
        return tokens

    def warm_up(self) -> None:
        """Load the dictionary now."""
        _read_chunk("你好", (0, 1), (1, 2))


def _flatten(spans: Sequence[Span]) -> tuple[str, list[int], list[int]]:
    text, starts, ends = "", [], []
    for span in spans:
        literal = len(span.text) == span.end - span.start
        for index, character in enumerate(span.text):
            text += character
            starts.append(span.start + index if literal else span.start)
            ends.append(span.start + index + 1 if literal else span.end)
    return text, starts, ends


def _read_chunk(chunk: str, starts: Sequence[int], ends: Sequence[int]) -> list[Token]:
    from pypinyin import Style, lazy_pinyin
    from pypinyin.seg.mmseg import seg

    words = list(seg.cut(chunk))
    syllables = [list(lazy_pinyin(w, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False)) for w in words]
    apply_sandhi(words, syllables)
    tokens, cursor = [], 0
    for word, group in zip(words, syllables):
        phonemes: list[str] = []
        counts = []
        for syllable in group:
            try:
                symbols = pinyin_symbols(_UNSAYABLE.get(syllable, syllable))
            except KeyError:
                symbols = ()
            phonemes.extend(symbols)
            counts.append(len(symbols))
        end = cursor + len(word)
        tokens.append(Token(word, tuple(phonemes), starts[cursor], ends[end - 1], char_counts=tuple(counts)))
        cursor = end
    return [token for token in tokens if token.phonemes]
