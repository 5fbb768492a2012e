"""A line as the full model wants it: phonemes with marks at both ends, and the characters behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import NamedTuple

from edge.text import Reading
from edge.text.symbols import DATA, PUNCTUATION, SYMBOL_TO_ID, SYMBOLS

# v1 knows the first 322 symbols: everything but the marks of Japanese pitch, Korean and Cantonese.
N_SYMBOLS = {"v1": 322}
_SPLITTERS = "，。？！,.?!~:：—…"
_FIRST_CLAUSE = re.compile(f"[^{_SPLITTERS}]*")
MIN_CLAUSE_CHARACTERS = 4  # a shorter first clause gets a full stop in front, or the model swallows it
MIN_PHONEMES = 6  # so does a shorter line
# Characters that the original respells before RoBERTa sees them.
_RESPELLED = {"嗯": "恩", "呣": "母"}


class CharacterRun(NamedTuple):
    """Chinese without another language in between, which RoBERTa reads in one go."""

    start: int
    """Index of the first phoneme."""
    characters: tuple[str, ...]
    """Simplified characters and half-width marks."""
    word2ph: tuple[int, ...]
    """How many phonemes each has; a mark has 1."""


@dataclass(frozen=True)
class TeacherText:
    """A line for the full model. The first two tuples run in parallel."""

    phonemes: tuple[str, ...]
    """Symbols of the model's inventory."""
    sources: tuple[int, ...]
    """Index of each phoneme in the reading; -1 for marks that were added."""
    runs: tuple[CharacterRun, ...]
    """The Chinese parts, in order."""

    @property
    def phoneme_ids(self) -> tuple[int, ...]:
        """Index of each phoneme in the inventory; the same in v1 and in v2."""
        return tuple(SYMBOL_TO_ID[phoneme] for phoneme in self.phonemes)

    @property
    def characters(self) -> tuple[str, ...]:
        """Characters of all runs."""
        return tuple(character for run in self.runs for character in run.characters)

    @property
    def bert_columns(self) -> tuple[int, ...]:
        """For each phoneme the index of its character in ``characters``; -1 where the features are zero."""
        columns = [-1] * len(self.phonemes)
        index = 0
        for run in self.runs:
            at = run.start
            for count in run.word2ph:
                columns[at : at + count] = [index] * count
                at += count
                index += 1
        return tuple(columns)


@dataclass(frozen=True)
class _Sound:
    """A character with its phonemes, or a phoneme of another language (then ``character`` is empty)."""

    character: str
    phonemes: tuple[str, ...]
    language: str
    source: int


def target_text(text: str, reading: Reading, version: str = "v2") -> TeacherText:
    """Prepare a line to be spoken.

    As in the original, a full stop goes in front of lines that begin with a short clause or are short
    altogether, and behind lines without a closing mark: without them the model drops words.

    Args:
        text: the line as written.
        reading: its phonemes.
        version: of the full model, ``v1`` or later.

    Raises:
        ValueError: a Chinese word has not two phonemes for each character.
    """
    sounds = _closed(_sounds(reading, version))
    n_phonemes = sum(len(sound.phonemes) for sound in sounds)
    if _begins_short(text) or n_phonemes < MIN_PHONEMES:
        sounds = _opened(sounds)
    return _joined(sounds)


def prompt_text(reading: Reading, version: str = "v2") -> TeacherText:
    """Prepare the transcript of a reference clip; see ``target_text``."""
    sounds = _closed(_sounds(reading, version))
    if sum(len(sound.phonemes) for sound in sounds) < MIN_PHONEMES:
        sounds = _opened(sounds)
    return _joined(sounds)


def _begins_short(text: str) -> bool:
    text = text.strip()
    clause = _FIRST_CLAUSE.match(text)
    assert clause is not None  # it may be empty
    return bool(clause.group()) and len(clause.group().strip()) < MIN_CLAUSE_CHARACTERS


def _sounds(reading: Reading, version: str) -> list[_Sound]:
    n_symbols = N_SYMBOLS.get(version, len(SYMBOLS))
    starts = {word.start: word for word in reading.words}
    sounds: list[_Sound] = []
    at = 0
    while at < len(reading.phonemes):
        word = starts.get(at)
        if word is not None and reading.languages[at] == "zh":
            sounds.extend(_characters(word.text, reading.phonemes[at : word.end], at))
            at = word.end
            continue
        phoneme, language = reading.phonemes[at], reading.languages[at]
        if SYMBOL_TO_ID[phoneme] < n_symbols:
            sounds.append(_Sound(phoneme if language == "zh" else "", (phoneme,), language, at))
        at += 1
    return sounds


def _characters(word: str, phonemes: tuple[str, ...], at: int) -> Iterator[_Sound]:
    if len(phonemes) != 2 * len(word):
        raise ValueError(f"{word!r} is read {' '.join(phonemes)}; expected two phonemes for each character")
    for index, character in enumerate(word):
        first = 2 * index
        yield _Sound(_simplified(character), phonemes[first : first + 2], "zh", at + first)


def _simplified(character: str) -> str:
    return _RESPELLED.get(character) or _traditional().get(character, character)


@cache
def _traditional() -> dict[str, str]:
    traditional, simplified = (DATA / "zh_traditional.txt").read_text(encoding="utf-8").split()
    return dict(zip(traditional, simplified, strict=True))


def _closed(sounds: list[_Sound]) -> list[_Sound]:
    last = sounds[-1]
    return sounds if last.phonemes[-1] in PUNCTUATION else [*sounds, _full_stop(last.language)]


def _opened(sounds: list[_Sound]) -> list[_Sound]:
    first = sounds[0]
    return sounds if first.phonemes[0] in PUNCTUATION else [_full_stop(first.language), *sounds]


def _full_stop(language: str) -> _Sound:
    return _Sound("." if language == "zh" else "", (".",), language, -1)


def _joined(sounds: list[_Sound]) -> TeacherText:
    phonemes: list[str] = []
    sources: list[int] = []
    runs: list[CharacterRun] = []
    for is_chinese, group in groupby(sounds, key=lambda sound: sound.language == "zh"):
        members = list(group)
        if is_chinese:
            characters = tuple(sound.character for sound in members)
            runs.append(CharacterRun(len(phonemes), characters, tuple(len(s.phonemes) for s in members)))
        for sound in members:
            phonemes.extend(sound.phonemes)
            added = sound.source < 0
            sources.extend(-1 if added else sound.source + index for index in range(len(sound.phonemes)))
    return TeacherText(tuple(phonemes), tuple(sources), tuple(runs))
