"""Mandarin reader: Han characters in, onset and rime symbols out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from ..scripts import HAN
from ..symbols import DATA
from ..token import Span, Token
from . import polyphones
from .dictionary import GUESSED, ChineseDictionary
from .interjections import read_interjections
from .normalize import normalize
from .pinyin import pinyin_symbols, symbols_pinyin
from .polyphone_model import PolyphoneModel
from .rare import rare_reading
from .sandhi import apply_sandhi
from .word import ChineseWord, tone

MARKS = {
    "，": ",", ",": ",", "、": ",", "；": ",", ";": ",", "：": ",", ":": ",", "。": ".", ".": ".", "．": ".",
    "！": "!", "!": "!", "？": "?", "?": "?", "…": "…", "‥": "…", "—": "-", "–": "-", "\n": ".",
    "（": ",", "）": ",", "(": ",", ")": ",", "【": ",", "】": ",", "[": ",", "]": ",",
}  # fmt: skip
_MAX_CLAUSE = 120  # characters; longer runs are read in parts, which bounds the work of each pass
_BESIDE = 8  # characters beside a clause that tell what a cough is
_HAN_RUN = re.compile(f"[{HAN}]{{1,{_MAX_CLAUSE}}}")
_PART = re.compile(f"{_HAN_RUN.pattern}|.", re.DOTALL)
# Traditional characters that tell apart what the simplified one does not: 髮 is hair, 發 is to send out.
_TRADITIONAL_READINGS = {
    "髮": "fa4", "隻": "zhi1", "乾": "gan1", "幹": "gan4", "儘": "jin3", "盡": "jin4", "閤": "ge2",
}  # fmt: skip
_HOUSEHOLD = re.compile("閤[家府第]")
_QIAN_NAMES = re.compile("乾(?=[坤隆元县縣])")
# 著 in traditional lines is 着 (藏著, 穿著旗袍) but in what writes or is well known.
_PARTICLE_ZHE = re.compile(
    "(?<![顯显名原論论編编專专巨卓昭合譯译遺遗土所撰拙])著(?![名作稱称述錄录書书者有文《〈])"
)


class ChineseReader:
    """The LanguageReader for Mandarin; reads traditional characters too."""

    language = "zh"

    def normalize(self, text: str, before: str = "", after: str = "") -> list[Span]:
        """Write out numbers, dates, money, units and signs; see ``normalize``."""
        return normalize(text, before, after)

    def read(self, spans: Sequence[Span], lexicon: Mapping[str, tuple[str, ...]]) -> list[Token]:
        """Cut into words, look them up, then change tones as speech does.

        Args:
            spans: written-out text.
            lexicon: Han words of the show and their phonemes; they are kept whole and read as given.
        """
        text, places = _flatten(spans)
        clauses = dict(self.clauses(text, lexicon))
        tokens: list[Token] = []
        for match in _PART.finditer(text):
            part, at = match.group(), match.start()
            if part in MARKS:
                tokens.append(Token(part, (MARKS[part],), *places[at], is_word=False))
            elif at in clauses:
                apply_sandhi(clauses[at])
                tokens.extend(_tokens(clauses[at], text, at, places))
        return tokens

    def clauses(
        self, text: str, lexicon: Mapping[str, tuple[str, ...]]
    ) -> list[tuple[int, list[ChineseWord]]]:
        """Words of each clause and where it starts, their tones as the dictionary has them.

        Args:
            text: the line, written out.
            lexicon: as for ``read``.
        """
        line = self._simplify(text)
        is_traditional = line != text
        simplified = list(line)
        found = []
        left: list[polyphones.OpenReading] = []
        for match in _HAN_RUN.finditer(text):
            clause, start = _repeated(match.group()), match.start()
            plain = self._simplify(clause, is_traditional)
            simplified[start : match.end()] = plain
            words = self._segment(clause, plain, lexicon)
            left += polyphones.resolve(words, start, self._model.knows)
            found.append((start, clause, words))
        polyphones.choose(left, "".join(simplified), self._single, self._dictionary.vote, self._model)
        for start, clause, words in found:
            _keep_traditional_readings(words, clause, self._simplify(clause))
            end = start + len(clause)
            read_interjections(
                words, text[max(0, start - _BESIDE) : start], clause, text[end : end + _BESIDE]
            )
        return [(start, words) for start, _, words in found]

    def warm_up(self) -> None:
        """Map the dictionary and compile the rules (30 ms)."""
        polyphones.compile_rules()
        self.read([Span("你好", 0, 2)], {})

    @cached_property
    def _dictionary(self) -> ChineseDictionary:
        return ChineseDictionary()

    @cached_property
    def _simplified(self) -> dict[int, str]:
        traditional, simplified = (DATA / "zh_traditional.txt").read_text(encoding="utf-8").split()
        return dict(zip(map(ord, traditional), simplified, strict=True))

    def _segment(
        self, clause: str, simplified: str, lexicon: Mapping[str, tuple[str, ...]]
    ) -> list[ChineseWord]:
        fixed = [word.translate(self._simplified) for word in lexicon if word in clause]
        words = []
        cursor = 0
        for text in self._dictionary.segment(simplified, fixed):
            given = lexicon.get(clause[cursor : cursor + len(text)])
            words.append(self._look_up(text) if given is None else _given_word(text, given))
            cursor += len(text)
        return words

    def _simplify(self, text: str, is_traditional: bool = False) -> str:
        """The text in simplified characters; in a traditional line 著 is 着 where it can be."""
        simplified = _QIAN_NAMES.sub("\0", text).translate(self._simplified).replace("\0", "乾")
        return _PARTICLE_ZHE.sub("着", simplified) if is_traditional else simplified

    @cached_property
    def _model(self) -> PolyphoneModel:
        return PolyphoneModel()

    def _look_up(self, text: str) -> ChineseWord:
        entry = self._dictionary.get(text)
        if entry is not None and entry.reading is not None:
            return ChineseWord(text, list(entry.reading), entry.pos, trust=entry.trust)
        syllables = [self._single(character) for character in text]
        pos, trust = (entry.pos, entry.trust) if entry else ("n", GUESSED)
        return ChineseWord(text, syllables, pos, trust=trust)

    def _single(self, character: str) -> str:
        """The usual reading of a character, an empty string for one that no table has."""
        entry = self._dictionary.get(character)
        return entry.reading[0] if entry and entry.reading else rare_reading(character)


def _tokens(
    words: Sequence[ChineseWord], text: str, start: int, places: Sequence[tuple[int, int]]
) -> Iterator[Token]:
    """Tokens of a clause that starts at ``start`` of the text."""
    cursor = start
    for word in words:
        end = cursor + len(word.text)
        groups = [pinyin_symbols(syllable) if syllable else () for syllable in word.syllables]
        phonemes = tuple(symbol for group in groups for symbol in group)
        if phonemes:
            counts = tuple(len(group) for group in groups)
            yield Token(text[cursor:end], phonemes, places[cursor][0], places[end - 1][1], char_counts=counts)
        cursor = end


def _repeated(clause: str) -> str:
    """Write the character out that 々 repeats: 佐々木 -> 佐佐木."""
    for index in range(1, len(clause)):
        if clause[index] == "々":
            clause = clause[:index] + clause[index - 1] + clause[index + 1 :]
    return clause


def _flatten(spans: Sequence[Span]) -> tuple[str, list[tuple[int, int]]]:
    """The text of all spans and the source place of each of its characters."""
    text: list[str] = []
    places: list[tuple[int, int]] = []
    for span in spans:
        is_literal = len(span.text) == span.end - span.start
        for index, character in enumerate(span.text):
            text.append(character)
            places.append(
                (span.start + index, span.start + index + 1) if is_literal else (span.start, span.end)
            )
    return "".join(text), places


def _keep_traditional_readings(words: Sequence[ChineseWord], clause: str, simplified: str) -> None:
    if clause == simplified:
        return
    cursor = 0
    for word in words:
        for index, syllable in enumerate(word.syllables):
            at = cursor + index
            reading = "" if _HOUSEHOLD.match(clause, at) else _TRADITIONAL_READINGS.get(clause[at])
            if reading and simplified[at] != clause[at] and tone(syllable) != "5":
                word.syllables[index] = reading
        cursor += len(word.text)


def _given_word(text: str, phonemes: Sequence[str]) -> ChineseWord:
    """A word of the lexicon, which gives two symbols for each character."""
    syllables = [symbols_pinyin(*pair) for pair in zip(phonemes[::2], phonemes[1::2], strict=True)]
    return ChineseWord(text, syllables, "n", is_fixed=True)
