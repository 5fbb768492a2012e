"""Text front end: cleans a line, splits it by language, has each part read, joins what comes back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import TextError
from ..spec import MAX_TEXT_CHARACTERS
from .blocks import block_ends, blocks
from .cleaning import CleanText, clean
from .expression import PLAIN, Shape, shape_of
from .language import Piece, split_languages
from .symbols import LANGUAGES, PUNCTUATION
from .token import LanguageReader, Token

if TYPE_CHECKING:
    from .lexicon import Lexicon

# Numbers, money, times and units: their rules are compiled on first use.
_WARM_UP_LINES = {
    "zh": "2026年11月22日10:30，第3间房¥1,299.00，涨3.5%，-3℃，120km/h，1/2，电话13812345678。",
    "en": "On May 5, 2026 at 10:30 am, Dr. Smith paid $1,299.50 for 3.5% of 1/2 mile to NASA's Zorblatt.",
    "ja": "2026年11月22日10:30、3匹で¥1,299、3.5％、120km/h、電話03-1234-5678です。",
}
# Chinese, kana, Greek: said, or taken into a number or a word beside it.
_SAYABLE = re.compile("[\u0370-\u03ff\u3040-\u30ff\u31f0-\u31ff\u4e00-\u9fff]")
_NOTHING = "the line has nothing that can be pronounced; add words"
_SHOWN = 12  # characters that a warning names
_CLOSING = frozenset(")）】]」』")
# Letters of a chat word without a vowel, which is spelled: yyds. Those that are sounds are not.
_CONSONANTS = re.compile(
    r"(?![hm]+$|p?ss?t$|shh+$|tsk$|brr+$|pff+t?$)(?:[b-df-hj-np-tv-xz]{2,6}|y[b-df-hj-np-tv-z]{1,5}|xyz)"
)


@dataclass(frozen=True)
class Word:
    """A spoken word and its phonemes ``[start, end)`` in the reading."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """How a line is spoken. The three tuples run in parallel, one entry per phoneme."""

    normalized: str
    """The line with numbers and symbols written out."""
    phonemes: tuple[str, ...]
    """Symbols of the v2 inventory, punctuation included."""
    languages: tuple[str, ...]
    """``zh``, ``en`` or ``ja``; punctuation has the language of what precedes it."""
    offsets: tuple[int, ...]
    """Index into the original text of the character or word a phoneme comes from; never decreases."""
    words: tuple[Word, ...]
    """Spoken words in order, not overlapping."""
    warnings: tuple[str, ...] = ()
    """What of the line cannot be said and is left out."""
    shape: Shape = PLAIN
    """Lengths and pitch that the writing asks for: Nooooo, ！！."""


class FrontEnd:
    """Turns lines into readings.

    Dictionaries load on first use of a language, or in ``warm_up``. Use one instance from one thread at a
    time; it may move between threads.
    """

    def __init__(self, lexicon: Path | None = None) -> None:
        self._readers: dict[str, LanguageReader] = {}
        self._lexicon = _load_lexicon(lexicon) if lexicon else None

    @property
    def lexicon_digest(self) -> str:
        """Name the entries of the show's lexicon that lines are read with; empty without one."""
        return self._lexicon.digest if self._lexicon else ""

    def without_lexicon(self) -> FrontEnd:
        """Return a front end that reads as if there were no show: for what was packed without one."""
        plain = FrontEnd()
        plain._readers = self._readers
        return plain

    def warm_up(self, languages: Iterable[str] = LANGUAGES) -> None:
        """Load the dictionaries and compile the rules of these languages now, so that no line has to."""
        split_languages("漢字とkana")  # opens the character sets that tell Chinese from Japanese
        for language in languages:
            self._reader(language).warm_up()
            self.read(_WARM_UP_LINES[language], language)

    def read(self, text: str, language: str = "auto", own: Sequence[str] = ()) -> Reading:
        """Turn one line, its tags already removed, into phonemes.

        Args:
            text: at most 2000 characters.
            language: ``auto``, or ``zh``, ``en``, ``ja`` for what the parts without Latin letters are.
            own: languages of the voice, the first one first: what ``auto`` takes Han characters for where the
                line does not tell (危険！).

        Raises:
            TextError: text_empty, text_unspeakable, too_large, or bad_request for an unknown language.
        """
        _check(text, language)
        cleaned = clean(text)
        pieces = split_languages(cleaned.text, language, own)
        reading = self._read_pieces(cleaned, pieces, len(pieces) == 1).reading()
        unsaid = _unsaid(cleaned, frozenset(reading.offsets))
        shape = shape_of(text, reading.phonemes, reading.offsets)
        return replace(reading, warnings=(unsaid,) if unsaid else (), shape=shape)

    def read_blocks(
        self, text: str, language: str = "auto", own: Sequence[str] = ()
    ) -> Iterator[tuple[Reading, int]]:
        """Turn a long line into phonemes as ``read`` does, some sentences at a time, when they are asked for.

        Args:
            text: as for ``read``.
            language: as for ``read``.
            own: as for ``read``.

        Yields:
            The reading of a block, its offsets those in the whole text, and where the block ends in it;
            blocks without a word are left out. What cannot be said is told by ``foreseen``.

        Raises:
            TextError: as ``read``, with the first block.
        """
        _check(text, language)
        cleaned = clean(text)
        pieces = split_languages(cleaned.text, language, own)
        begin, is_empty = 0, True
        for block, stop in blocks(pieces, block_ends(cleaned.text)):
            joined = self._read_pieces(cleaned, block, len(pieces) == 1)
            end = cleaned.positions[stop] if stop < len(cleaned.text) else len(text)
            if joined.has_words:
                reading = joined.reading()
                is_empty = False
                shape = shape_of(text[begin:end], reading.phonemes, [at - begin for at in reading.offsets])
                yield replace(reading, shape=shape), end
            begin = end
        if is_empty:
            raise TextError(_NOTHING, "text_unspeakable")

    def _read_pieces(self, cleaned: CleanText, pieces: Iterable[Piece], is_alone: bool) -> _Joined:
        joined = _Joined(cleaned)
        for piece in pieces:
            joined.add(piece, *self._read_piece(cleaned.text, piece, is_alone))
        return joined

    def _read_piece(self, line: str, piece: Piece, is_alone: bool) -> tuple[str, list[Token]]:
        reader = self._reader(piece.language)
        text = _beside_others(line, piece)
        spans = reader.normalize(text, before=line[: piece.start], after=line[piece.end :])
        entries: Mapping[str, tuple[str, ...]] = (
            self._lexicon.entries(piece.language) if self._lexicon else {}
        )
        tokens = reader.read(spans, entries)
        if piece.language == "en" and not is_alone:
            tokens = _spell_letters(tokens)
        return "".join(span.text for span in spans), tokens

    def _reader(self, language: str) -> LanguageReader:
        if language not in self._readers:
            self._readers[language] = _READERS[language]()
        return self._readers[language]


def _load_lexicon(path: Path) -> Lexicon:
    from .lexicon import Lexicon

    return Lexicon(path)


def _chinese() -> LanguageReader:
    from .zh.reader import ChineseReader

    return ChineseReader()


def _english() -> LanguageReader:
    from .en.reader import EnglishReader

    return EnglishReader()


def _japanese() -> LanguageReader:
    from .ja.reader import JapaneseReader

    return JapaneseReader()


_READERS: Mapping[str, Callable[[], LanguageReader]] = {"zh": _chinese, "en": _english, "ja": _japanese}
"""Made when a line first needs them: a voice of one language loads one dictionary."""


def _beside_others(line: str, piece: Piece) -> str:
    """The text of a piece as its reader wants it beside another language; as long as the piece."""
    text = line[piece.start : piece.end]
    if piece.language == "ja" and line[max(0, piece.start - 1) : piece.start].isalnum() and text[0] in "-−":
        return " " + text[1:]  # the hyphen of F-16 is no minus
    return text


def _spell_letters(tokens: list[Token]) -> list[Token]:
    """Name letters that stand alone beside another language, and chat words without a vowel: A, yyds."""
    from .en.words import spell

    is_alone = sum(token.is_word for token in tokens) == 1
    return [
        replace(token, phonemes=spell(token.text))
        if token.is_word and (_CONSONANTS.fullmatch(token.text) or (is_alone and token.text in "Aa"))
        else token
        for token in tokens
    ]


def foreseen(text: str, language: str, own: Sequence[str]) -> tuple[frozenset[str], str]:
    """What reading a text will tell: its languages, and a warning that names what cannot be said.

    Args:
        text: as for ``FrontEnd.read``.
        language: as there.
        own: as there.
    """
    from .zh.rare import rare_reading

    cleaned = clean(text)
    pieces = split_languages(cleaned.text, language, own)
    languages = frozenset(
        piece.language for piece in pieces if any(map(str.isalnum, cleaned.text[piece.start : piece.end]))
    )
    said = {
        position
        for character, position in zip(cleaned.text, cleaned.positions, strict=True)
        if "zh" in languages and rare_reading(character)
    }
    return languages, _unsaid(cleaned, frozenset(said))


def _unsaid(cleaned: CleanText, said: frozenset[int]) -> str:
    """A warning that names letters of scripts that no reader has, and rare characters without a reading."""
    unsaid = [
        character
        for character, position in zip(cleaned.text, cleaned.positions, strict=True)
        if character > "\u024f"
        and not "\u1e00" <= character <= "\u1eff"  # Vietnamese
        and position not in said
        and unicodedata.category(character) in ("Lo", "Lu", "Ll")
        and not _SAYABLE.match(character)
    ]
    shown = "".join(unsaid[:_SHOWN]) + ("…" if len(unsaid) > _SHOWN else "")
    return f"left out, as no reading of it is known: {shown}" if unsaid else ""


def _check(text: str, language: str) -> None:
    if language != "auto" and language not in LANGUAGES:
        raise TextError(f"language is {language!r}; expected auto, {', '.join(LANGUAGES)}")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise TextError(
            f"the line has {len(text)} characters; split it, {MAX_TEXT_CHARACTERS} is the most", "too_large"
        )
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
        self._bracket: tuple[tuple[str, ...], list[int], str] | None = None

    def add(self, piece: Piece, normalized: str, tokens: Iterable[Token]) -> None:
        self._normalized.append(normalized)
        for token in tokens:
            if token.is_word or token.phonemes[0] not in PUNCTUATION:
                self._add_word(token, piece)
            else:
                self._add_mark(token, piece)

    def _add_mark(self, token: Token, piece: Piece) -> None:
        """Keep the first of several marks in a row, as the teacher does; a line begins with … at most."""
        mark = token.phonemes[0]
        is_taken = self._phonemes[-1] not in PUNCTUATION if self._phonemes else mark == "…"
        if is_taken:
            phonemes = (mark,), [piece.start + token.start], piece.language
            # A closing bracket is heard only before words: the full stop behind it says more.
            self._bracket = phonemes if token.text in _CLOSING else None
            if self._bracket is None:
                self._add_phonemes(*phonemes)

    def _add_word(self, token: Token, piece: Piece) -> None:
        if self._bracket is not None:
            self._add_phonemes(*self._bracket)
            self._bracket = None
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

    @property
    def has_words(self) -> bool:
        return bool(self._words)

    def reading(self) -> Reading:
        if not self._words:
            raise TextError(_NOTHING, "text_unspeakable")
        return Reading(
            "".join(self._normalized).strip(),
            tuple(self._phonemes),
            tuple(self._languages),
            tuple(self._offsets),
            tuple(self._words),
        )
