"""Text front end: cleans a line, splits it by language, lets each language's reader speak, joins the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import TextError
from .cleaning import CleanText, clean
from .language import Piece, split_languages
from .symbols import LANGUAGES, PUNCTUATION
from .token import LanguageReader, Token

if TYPE_CHECKING:
    from .lexicon import Lexicon

MAX_CHARACTERS = 2000  # per line; the MQTT contract's limit


@dataclass(frozen=True)
class Word:
    """A spoken word and its phonemes ``[start, end)`` in the reading."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """How a line is spoken. The three tuples run in parallel, one entry per phoneme.

    Attributes:
        normalized: the line with numbers and symbols written out.
        phonemes: symbols of the v2 inventory, punctuation included.
        languages: ``zh``, ``en`` or ``ja``; punctuation has the language of what precedes it.
        offsets: index into the original text of the character or word a phoneme comes from; never decreases.
        words: spoken words in order, not overlapping.
    """

    normalized: str
    phonemes: tuple[str, ...]
    languages: tuple[str, ...]
    offsets: tuple[int, ...]
    words: tuple[Word, ...]


class FrontEnd:
    """Turns lines into readings.

    Dictionaries load on first use of a language, or in ``warm_up``. Use one instance from one thread at a time;
    it may move between threads.
    """

    def __init__(self, lexicon: Path | None = None) -> None:
        self._readers: dict[str, LanguageReader] = {}
        self._lexicon = _load_lexicon(lexicon) if lexicon else None

    def warm_up(self, languages: Iterable[str] = LANGUAGES) -> None:
        """Load the dictionaries of these languages now."""
        for language in languages:
            self._reader(language).warm_up()

    def read(self, text: str, language: str = "auto") -> Reading:
        """Turn one line, its tags already removed, into phonemes.

        Args:
            text: at most 2000 characters.
            language: ``auto``, or ``zh``, ``en``, ``ja`` for what the parts without Latin letters are.

        Raises:
            TextError: text_empty, text_unspeakable, too_large, or bad_request for an unknown language.
        """
        _check(text, language)
        cleaned = clean(text)
        joined = _Joined(cleaned)
        for piece in split_languages(cleaned.text, language):
            joined.add(piece, *self._read_piece(cleaned.text[piece.start : piece.end], piece.language))
        return joined.reading()

    def _read_piece(self, text: str, language: str) -> tuple[str, list[Token]]:
        reader = self._reader(language)
        spans = reader.normalize(text)
        entries: Mapping[str, tuple[str, ...]] = self._lexicon.entries(language) if self._lexicon else {}
        return "".join(span.text for span in spans), reader.read(spans, entries)

    def _reader(self, language: str) -> LanguageReader:
        if language not in self._readers:
            self._readers[language] = _make_reader(language)
        return self._readers[language]


def _load_lexicon(path: Path) -> Lexicon:
    from .lexicon import Lexicon

    return Lexicon(path)


def _make_reader(language: str) -> LanguageReader:
    if language == "zh":
        from .chinese import ChineseReader

        return ChineseReader()
    if language == "en":
        from .english import EnglishReader

        return EnglishReader()
    from .japanese import JapaneseReader

    return JapaneseReader()


def _check(text: str, language: str) -> None:
    if language != "auto" and language not in LANGUAGES:
        raise TextError(f"language is {language!r}; expected auto, {', '.join(LANGUAGES)}")
    if len(text) > MAX_CHARACTERS:
        raise TextError(f"the line has {len(text)} characters; split it, {MAX_CHARACTERS} is the most", "too_large")
    if not text.strip():
        raise TextError("the line is empty; send at least one word", "text_empty")


class _Joined:
    """Collects the tokens of all pieces of a line."""

    def __init__(self, cleaned: CleanText) -> None:
        self._positions = cleaned.positions
        self._normalized: list[str] = []
        self._phonemes: list[str] = []
        self._languages: list[str] = []
        self._offsets: list[int] = []
        self._words: list[Word] = []

    def add(self, piece: Piece, normalized: str, tokens: Iterable[Token]) -> None:
        self._normalized.append(normalized)
        for token in tokens:
            if token.is_word or token.phonemes[0] not in PUNCTUATION:
                self._add_word(token, piece)
            elif not (self._phonemes and self._phonemes[-1] in PUNCTUATION):
                # Of several marks in a row the first is kept, as the teacher's front end does.
                self._add_phonemes(token.phonemes[:1], [piece.start + token.start], piece.language)

    def _add_word(self, token: Token, piece: Piece) -> None:
        first = len(self._phonemes)
        counts = token.char_counts or (len(token.phonemes),)
        at = [piece.start + token.start + index for index, count in enumerate(counts) for _ in range(count)]
        last = piece.start + max(token.start, token.end - 1)
        self._add_phonemes(token.phonemes, [min(position, last) for position in at], piece.language)
        if token.is_word:
            self._words.append(Word(token.text, first, len(self._phonemes)))

    def _add_phonemes(self, phonemes: Iterable[str], at: list[int], language: str) -> None:
        self._phonemes.extend(phonemes)
        for position in at:
            offset = self._positions[min(position, len(self._positions) - 1)]
            self._offsets.append(max(offset, self._offsets[-1] if self._offsets else 0))
        self._languages.extend([language] * len(at))

    def reading(self) -> Reading:
        if not self._words:
            raise TextError("the line has nothing that can be pronounced; add words", "text_unspeakable")
        return Reading(
            "".join(self._normalized).strip(),
            tuple(self._phonemes),
            tuple(self._languages),
            tuple(self._offsets),
            tuple(self._words),
        )
