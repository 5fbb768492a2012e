"""A show's own words: names and terms with the reading that they have in this show.

One entry a line, ``word = reading``; the reading tells the language. ``洛圣都 = luo4 sheng4 du1`` is Mandarin
(pinyin, one syllable per character), ``Noah = N OW1 AH0`` English (ARPAbet with stress), ``東雲 = しののめ``
Japanese (kana). ``#`` begins a comment.
"""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ..errors import ConfigError
from .cleaning import clean
from .symbols import LANGUAGES, SYMBOL_TO_ID

_LOG = logging.getLogger(__name__)

MAX_BYTES = 1_000_000
MAX_WORD_LENGTH = 64
_MAX_PROBLEMS = 10  # named in one message

_COMMENT = re.compile(r"(^|\s)#.*")
_PINYIN = re.compile(r"[a-zü:]+[1-5]?", re.IGNORECASE)
_KANA = re.compile(r"[ぁ-ゖァ-ヺー・\[\]\s]+")
_ENGLISH_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:'[A-Za-z\u00c0-\u024f]+)*")
_HAN_WORD = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇]+")
_JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())
_CONSONANTS = frozenset("B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split())

Entries = dict[str, dict[str, tuple[str, ...]]]  # language -> word -> symbols


class Lexicon:
    """A lexicon file, read again when it changes.

    A changed file that is wrong or gone leaves the entries as they were: ``problem`` then says why, and so
    does the log, once per change.
    """

    digest: str
    """SHA-256 of the entries in use; a line kept for later is good for the same digest only."""
    problem: str
    """Why the file as it stands now is not used; empty when it is."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            ConfigError: it cannot be read, or lines of it are wrong; the message names each with its number.
        """
        self._path = path
        self._seen = self._fingerprint()
        self._use(load_lexicon(path))

    def entries(self, language: str) -> Mapping[str, tuple[str, ...]]:
        """Words of one language (``zh``, ``en``, ``ja``) with their symbols, English in lower case.

        The same object comes back until the file changes.
        """
        self._refresh()
        return self._entries[language]

    def _refresh(self) -> None:
        fingerprint = self._fingerprint()
        if fingerprint == self._seen:
            return
        self._seen = fingerprint
        try:
            self._use(load_lexicon(self._path))
        except ConfigError as error:
            self.problem = f"the lexicon as it was before stays in use: {error}"
            _LOG.warning("%s", self.problem)

    def _use(self, entries: Entries) -> None:
        self._entries = {language: MappingProxyType(words) for language, words in entries.items()}
        self.digest = hashlib.sha256(
            repr([sorted(words.items()) for words in entries.values()]).encode()
        ).hexdigest()
        self.problem = ""

    def _fingerprint(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


def load_lexicon(path: Path) -> Entries:
    """Read and check a lexicon file.

    Raises:
        ConfigError: it cannot be read, or lines of it are wrong.
    """
    entries: Entries = {language: {} for language in LANGUAGES}
    lines: dict[tuple[str, str], int] = {}
    problems: list[str] = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        line = _COMMENT.sub("", line).strip()
        if not line:
            continue
        try:
            language, word, symbols = parse_entry(line)
            if (language, word) in lines:
                raise ValueError(f"{word!r} is already on line {lines[language, word]}; keep one of them")
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        lines[language, word] = number
        entries[language][word] = symbols
    if problems:
        more = f"; and {len(problems) - _MAX_PROBLEMS} more" if len(problems) > _MAX_PROBLEMS else ""
        raise ConfigError(f"{path}: {'; '.join(problems[:_MAX_PROBLEMS])}{more}")
    return entries


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: the lexicon cannot be read: {error.strerror}; check the path") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: {len(content)} bytes; a lexicon has at most {MAX_BYTES}, leave words out")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error


def parse_entry(line: str) -> tuple[str, str, tuple[str, ...]]:
    """Give the language, the word as the readers look it up, and its symbols.

    Raises:
        ValueError: what is wrong with the line, and what to write instead.
    """
    word, equals, reading = (part.strip() for part in line.replace("＝", "=").partition("="))
    if not equals or not word or not reading:
        raise ValueError(f"found {line!r}, expected 'word = reading', e.g. 'Noah = N OW1 AH0'")
    word = clean(word).text.strip()
    if not 1 <= len(word) <= MAX_WORD_LENGTH:
        raise ValueError(f"a word has 1 to {MAX_WORD_LENGTH} characters, this one {len(word)}")
    reading = unicodedata.normalize("NFKC", reading)
    if _KANA.fullmatch(reading):
        return "ja", word, _japanese(word, reading)
    if reading.upper() == reading:
        return "en", word.lower(), _english(word, reading)
    return "zh", word, _chinese(word, reading)


def _japanese(word: str, reading: str) -> tuple[str, ...]:
    from .ja.kana import kana_phonemes

    if not _JAPANESE.search(word):
        raise ValueError(
            f"{word!r} is read as English, so a kana reading has no effect; write ARPAbet: N OW1"
        )
    return kana_phonemes("".join(reading.split()))


def _english(word: str, reading: str) -> tuple[str, ...]:
    if not _ENGLISH_WORD.fullmatch(word):
        raise ValueError(
            f"{reading!r} is ARPAbet, but {word!r} is not one English word; give each word a line"
        )
    for symbol in reading.split():
        base = symbol.rstrip("012")
        if base in _VOWELS and symbol == base:
            raise ValueError(f"vowel {symbol!r} has no stress; write {symbol}1, {symbol}2 or {symbol}0")
        if symbol not in SYMBOL_TO_ID or not (base in _VOWELS or symbol in _CONSONANTS):
            known = " ".join(sorted(_CONSONANTS | _VOWELS))
            raise ValueError(f"{symbol!r} is not a sound of ARPAbet; these are: {known}")
    return tuple(reading.split())


def _chinese(word: str, reading: str) -> tuple[str, ...]:
    from .zh.pinyin import pinyin_symbols

    if not _HAN_WORD.fullmatch(word):
        raise ValueError(f"{word!r} is not all Chinese characters, so {reading!r} cannot be its pinyin")
    syllables = reading.lower().replace("u:", "v").replace("ü", "v").split()
    if len(syllables) != len(word):
        raise ValueError(
            f"{word!r} has {len(word)} characters and {len(syllables)} syllables; give one for each"
        )
    symbols: list[str] = []
    for syllable in syllables:
        if not _PINYIN.fullmatch(syllable) or not syllable[-1].isdigit():
            raise ValueError(
                f"{syllable!r} is not pinyin with a tone digit; write e.g. hao3, tone 5 is neutral"
            )
        try:
            symbols.extend(pinyin_symbols(syllable))
        except KeyError as error:
            raise ValueError(f"{syllable!r} is not a syllable of Mandarin; check the spelling") from error
    return tuple(symbols)
