"""What writing tells of how long and how high a line is spoken: Nooooo, 好～, ！！！, ？？.

The sounds stay those of the words; lengths and pitch go to the plan of a phrase, within the limits below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..spec import ZERO_LENGTH_SYMBOLS
from .scripts import HAN
from .symbols import PUNCTUATION

# Longer by so much for each letter too many, at most so many times as long
PER_LETTER, MOST_STRETCH = 0.3, 2.5
PER_WAVE, MOST_WAVES = 0.4, 2  # for each ～ behind a Chinese syllable
# Semitones higher for each ！ too many, through the sentence; ？ lifts its last word twice as much
PER_MARK = 0.5
MOST_MARKS = 3
SLOWER_PER_MARK = 0.04
DOUBT = 2.0  # semitones by which a call of doubt ends higher
DOUBT_RISE = 8.0  # and by which its last sound rises, whatever a voice makes of it
_KANA = "\u3040-\u30ff"
_DOUBT = re.compile(
    rf"(?<![{HAN}])[啊嗯哦喔噢诶欸唔哈咦喂呃额]+(?=[?？])"
    rf"|(?<![{HAN}{_KANA}])(?:[えエへヘ][えエーぇ]*|[はハ][あアーぁ]*|[あアおオ]ー*|[うウ]?[んン]ー*)[っッ]?(?=[?？])"
    r"|(?<![A-Za-z'-])(?:hu+h|h+m+|e+h|oh|ah|um)(?=[?？])",
    re.IGNORECASE,
)
_DRAWN_OUT = re.compile(r"([A-Za-z])\1{2,}")
_WAVES = re.compile(f"(?<=[{HAN}])(?:[~～〜]+|[—─―]{{2,}})")
_MARKS = re.compile(r"[!！?？‼⁉]{2,}")
_VOWELS = frozenset("aeiouyAEIOUY")
_ENDS = frozenset(".!?")
_WITHOUT_PITCH = frozenset({"cl", *ZERO_LENGTH_SYMBOLS})


@dataclass(frozen=True)
class Shape:
    """Changes to what the voice would do by itself, one entry per phoneme; all empty where there is none."""

    stretch: tuple[float, ...] = ()
    """Factors of the durations."""
    lift: tuple[float, ...] = ()
    """Semitones."""
    rise: tuple[float, ...] = ()
    """Semitones by which the end of the phoneme is higher still than its beginning."""


PLAIN = Shape()


def shape_of(text: str, phonemes: Sequence[str], offsets: Sequence[int]) -> Shape:
    """Find what is drawn out, what is doubted, and what is called or asked with more than one mark.

    Args:
        text: the line as it was given.
        phonemes: of its reading.
        offsets: index into ``text`` of each phoneme; never decreases.
    """
    stretch, lift, rise = [1.0] * len(phonemes), [0.0] * len(phonemes), [0.0] * len(phonemes)
    for match in _DRAWN_OUT.finditer(text):
        place = _drawn_phoneme(text, match, phonemes, offsets)
        if place is not None:
            stretch[place] = min(MOST_STRETCH, 1 + PER_LETTER * (len(match[0]) - 1))
    for match in _WAVES.finditer(text):
        place = _last_before(match.start(), offsets)
        if place is not None and phonemes[place] not in PUNCTUATION:
            stretch[place] = 1 + PER_WAVE * min(len(match[0]), MOST_WAVES)
    for match in _DOUBT.finditer(text):
        place = _last_before(match.end(), offsets)
        while place and phonemes[place] in _WITHOUT_PITCH:
            place -= 1
        if place is not None and phonemes[place] not in PUNCTUATION:
            lift[place] += DOUBT
            rise[place] += DOUBT_RISE
    for match in _MARKS.finditer(text):
        _emphasise(match, phonemes, offsets, stretch, lift)
    is_plain = all(factor == 1.0 for factor in stretch) and not any(lift)
    return PLAIN if is_plain else Shape(tuple(stretch), tuple(lift), tuple(rise))


def _last_before(position: int, offsets: Sequence[int]) -> int | None:
    """The last phoneme of what stands before a place."""
    return next((index for index in range(len(offsets) - 1, -1, -1) if offsets[index] < position), None)


def _drawn_phoneme(
    text: str, match: re.Match[str], phonemes: Sequence[str], offsets: Sequence[int]
) -> int | None:
    """The vowel that repeated letters stand for, counted from the start of the word; else its end."""
    start = match.start()
    while start and text[start - 1].isalpha() and text[start - 1].isascii():
        start -= 1
    word = [index for index, offset in enumerate(offsets) if offset == start]
    word = [index for index in word if phonemes[index] not in PUNCTUATION]
    if not word:
        return None
    vowels = [index for index in word if phonemes[index][-1].isdigit()]
    if match[1] not in _VOWELS:
        return word[-1] if match.end() == len(text) or not text[match.end()].isalpha() else None
    before = len(re.findall("[aeiouyAEIOUY]+", text[start : match.start()]))
    return vowels[min(before, len(vowels) - 1)] if vowels else word[-1]


def _emphasise(
    match: re.Match[str],
    phonemes: Sequence[str],
    offsets: Sequence[int],
    stretch: list[float],
    lift: list[float],
) -> None:
    """Lift the sentence before repeated marks, its last syllables for a question."""
    calls = min(MOST_MARKS, sum(mark in "!！‼" for mark in match[0]))
    questions = min(MOST_MARKS, sum(mark in "?？⁉" for mark in match[0]))
    last = _last_before(match.start(), offsets)
    if last is None:
        return
    first = next((index + 1 for index in range(last, -1, -1) if phonemes[index] in _ENDS), 0)
    for index in range(first, last + 1):
        if calls > 1:
            lift[index] += PER_MARK * (calls - 1)
            stretch[index] *= 1 + SLOWER_PER_MARK * (calls - 1)
        if questions > 1 and offsets[index] == offsets[last]:
            lift[index] += 2 * PER_MARK * (questions - 1)
