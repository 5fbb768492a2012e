"""Phrases: a reading with its tags, cut into what the encoder sees at once and the silence between."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from .markup import Tag
from .spec import FINAL_SYMBOL, LEADING_SYMBOL, SAMPLE_RATE
from .text import Reading, Word
from .text.expression import PLAIN, Shape
from .text.symbols import PUNCTUATION

SENTENCE_ENDS = (".", "!", "?")
SENTENCE_GAP_MS = 140  # on top of the silence that the student itself leaves at both ends of a phrase
LONG_SILENCE_MS = 600  # a line of dots, an actor who does not answer
SHORT_SILENCE_MS = 300  # a line of ♪ or of a mark
MAX_PHONEMES = 140  # a longer sentence is cut at a comma: the encoder's time is part of the first sound's
LONG_FIRST_PHONEMES = 80  # a first sentence as long as this is cut at a comma, so that sound starts sooner
FIRST_PHONEMES = 16, 48  # that a first phrase cut off so has
_DOTS = re.compile(r"[…‥⋯]|\.{2,}|。{2,}|——|──")
_MORE_PUNCTUATION = tuple((symbol,) for symbol in PUNCTUATION)


@dataclass(frozen=True)
class Cue:
    """A mark at a place in a phrase: before symbol ``index``; -1 is before the silence in front of it."""

    name: str
    index: int


@dataclass(frozen=True)
class Phrase:
    """One run of the encoder and the silence in front of it."""

    symbols: tuple[str, ...]
    """(P,) student input, leading silence to final punctuation; empty for silence only."""
    languages: tuple[str, ...]
    """(P,) of ``zh``, ``en``, ``ja``."""
    offsets: tuple[int, ...]
    """(P,) place in the plain text."""
    words: tuple[tuple[str, int, int], ...]
    """Text, first symbol and symbol after the last of each spoken word."""
    emotion: str
    """As asked for by request or tag."""
    pause_ms: int | None = None
    """An explicit pause in front; None where there is none."""
    follows_sentence: bool = False
    """True if a sentence ends in front, so that it takes a breath."""
    cues: tuple[Cue, ...] = ()
    """Marks in order."""
    shape: Shape = PLAIN
    """Lengths and pitch that the writing asks for."""

    def silence_samples(self, rate: float) -> int:
        """Silence in front: a pause is as long as written, the breath after a sentence follows the rate."""
        if self.pause_ms is not None:
            return round(self.pause_ms * SAMPLE_RATE / 1000)
        return round(SENTENCE_GAP_MS / rate * SAMPLE_RATE / 1000) if self.follows_sentence else 0


def split_phrases(reading: Reading, tags: Sequence[Tag], emotion: str) -> tuple[Phrase, ...]:
    """Cut at sentence ends, pauses and changes of emotion; silence and marks keep their order.

    Args:
        reading: of the plain text.
        tags: positions are indices of the plain text. One inside a word that is read as a whole takes effect
            after it.
        emotion: holds until the first emotion tag.
    """
    splitter = _Splitter(reading, emotion)
    start = 0
    for tag in tags:
        stop = _first_from(reading, tag.position)
        splitter.speak(start, stop)
        start = max(start, stop)
        splitter.obey(tag)
    splitter.speak(start, len(reading.phonemes))
    return splitter.finish()


def phrases_of_blocks(
    blocks: Iterable[tuple[Reading, int]], tags: Sequence[Tag], emotion: str
) -> Iterator[Phrase]:
    """Cut a text that is read in blocks as ``split_phrases`` cuts it whole, each phrase when it is asked for.

    Args:
        blocks: reading of each block and where it ends in the plain text.
        tags: as for ``split_phrases``.
        emotion: as for ``split_phrases``.
    """
    splitter: _Splitter | None = None
    left = list(tags)[::-1]
    for reading, end in blocks:
        splitter = splitter or _Splitter(reading, emotion)
        splitter.turn_to(reading)
        start = 0
        while left and left[-1].position <= end:
            tag = left.pop()
            stop = _first_from(reading, tag.position)
            splitter.speak(start, stop)
            start = max(start, stop)
            splitter.obey(tag)
        splitter.speak(start, len(reading.phonemes))
        yield from splitter.complete()
    if splitter is not None:
        for tag in reversed(left):
            splitter.obey(tag)
        splitter.finish()
        yield from splitter.complete(is_end=True)


def silent_phrases(plain: str, tags: Sequence[Tag], emotion: str) -> tuple[Phrase, ...]:
    """Phrases of a line without a word: its pauses, or a breath where it has none; marks keep their order.

    Args:
        plain: what is left of the line, which tells how long the breath is.
        tags: as for ``split_phrases``.
        emotion: as for ``split_phrases``.
    """
    splitter = _Splitter(Reading("", (), (), (), ()), emotion)
    for tag in tags:
        splitter.obey(tag)
    if not any(tag.kind == "pause" and tag.value for tag in tags):
        breath_ms = LONG_SILENCE_MS if _DOTS.search(plain) else SHORT_SILENCE_MS
        splitter.obey(Tag("pause", breath_ms, len(plain)))
    return splitter.finish()


def _first_from(reading: Reading, position: int) -> int:
    """Index of the first phoneme whose character is at or after ``position`` of the plain text."""
    return bisect_left(reading.offsets, position)


def _part_of_shape(shape: Shape, start: int, stop: int, n_ends: int) -> Shape:
    """The shape of phonemes [start, stop); the leading silence and what ends the phrase stay as they are."""
    if not shape.stretch:
        return shape
    still = [0.0] * n_ends
    return Shape(
        (1.0, *shape.stretch[start:stop], *[1.0] * n_ends),
        (0.0, *shape.lift[start:stop], *still),
        (0.0, *shape.rise[start:stop], *still),
    )


@dataclass
class _Open:
    """A phrase under construction: phonemes [start, stop) of the reading."""

    start: int
    stop: int
    cues: list[tuple[str, int]] = field(default_factory=list)  # name, index in the reading


class _Splitter:
    """Walks through phonemes and tags in order and lets phrases go when they are complete."""

    def __init__(self, reading: Reading, emotion: str) -> None:
        self._emotion = emotion
        self._n_given = 0
        self._phrases: list[Phrase] = []
        self._open: _Open | None = None
        self._before: list[str] = []  # marks in front of the pending silence
        self._pause_ms: int | None = None
        self._breath = False
        self._waiting: list[str] = []  # marks for the first sound after it
        self.turn_to(reading)

    def turn_to(self, reading: Reading) -> None:
        """Go on with another part of the text, behind the end of a sentence."""
        self._close()
        self._reading = reading
        self._starts = [word.start for word in reading.words]
        self._ends = [word.end for word in reading.words]

    def complete(self, is_end: bool = False) -> Iterator[Phrase]:
        """Phrases not given yet that nothing changes any more; marks may still join the last."""
        stop = len(self._phrases) - (0 if is_end else 1)
        while self._n_given < stop:
            self._n_given += 1
            yield self._phrases[self._n_given - 1]

    def speak(self, start: int, stop: int) -> None:
        """Add phonemes [start, stop) and cut behind each sentence end and in sentences that are too long."""
        phonemes = self._reading.phonemes
        for index in range(start, stop):
            self._open = self._open or _Open(index, index)
            self._open.stop = index + 1
            if phonemes[index] in SENTENCE_ENDS and phonemes[index + 1 : index + 2] not in _MORE_PUNCTUATION:
                self._close()
                self._breath = bool(self._phrases)
            elif self._open.stop - self._open.start >= MAX_PHONEMES:
                self._cut_long(self._open)
            elif self._open.stop - self._open.start == LONG_FIRST_PHONEMES and not self._phrases:
                self._cut_first(self._open)

    def obey(self, tag: Tag) -> None:
        """Take a tag at the present place."""
        if tag.kind == "mark":
            self._mark(str(tag.value))
        elif tag.kind == "pause":
            self._pause(int(tag.value))
        elif tag.value != self._emotion:
            self._close()
            self._emotion = str(tag.value)

    def finish(self) -> tuple[Phrase, ...]:
        """Close what is open; marks at the end go to the last sound, silence becomes a phrase of its own."""
        self._close()
        if self._pause_ms is not None:
            self._silence()
        elif self._waiting and self._phrases:
            last = self._phrases[-1]
            cues = tuple(Cue(name, len(last.symbols)) for name in self._waiting)
            self._phrases[-1] = replace(last, cues=last.cues + cues)
        return tuple(self._phrases)

    def _mark(self, name: str) -> None:
        if self._open is not None:
            self._open.cues.append((name, self._open.stop))
        else:
            self._waiting.append(name)

    def _pause(self, pause_ms: int) -> None:
        self._close()
        if self._pause_ms is not None and self._waiting:  # a mark between two pauses: the first goes alone
            self._silence()
        self._before, self._waiting = self._before + self._waiting, []
        self._pause_ms = (self._pause_ms or 0) + pause_ms

    def _silence(self) -> None:
        phrase = Phrase((), (), (), (), self._emotion, self._pause_ms, cues=self._leading_cues(0))
        self._phrases.append(phrase)
        self._start_over()

    def _leading_cues(self, index: int) -> tuple[Cue, ...]:
        return tuple([Cue(name, -1) for name in self._before] + [Cue(name, index) for name in self._waiting])

    def _start_over(self) -> None:
        self._before, self._pause_ms, self._breath, self._waiting = [], None, False, []

    def _close(self) -> None:
        """Let the open phrase go; punctuation without a word is dropped, its marks wait for what follows."""
        span, self._open = self._open, None
        if span is None:
            return
        words = tuple(self._words(span.start, span.stop))
        if words:
            self._phrases.append(self._phrase(span, words))
            self._start_over()
        else:
            self._waiting += [name for name, _ in span.cues]

    def _phrase(self, span: _Open, words: tuple[tuple[str, int, int], ...]) -> Phrase:
        reading, start, stop = self._reading, span.start, span.stop
        body = reading.phonemes[start:stop]
        ends = () if body[-1] in PUNCTUATION else (FINAL_SYMBOL,)
        around = (start, *range(start, stop), *(stop - 1 for _ in ends))  # what the added symbols go with
        return Phrase(
            (LEADING_SYMBOL, *body, *ends),
            tuple(reading.languages[i] for i in around),
            tuple(reading.offsets[i] for i in around),
            words,
            self._emotion,
            self._pause_ms,
            self._breath,
            self._leading_cues(1) + tuple(Cue(name, 1 + at - start) for name, at in span.cues),
            _part_of_shape(reading.shape, start, stop, len(ends)),
        )

    def _words(self, start: int, stop: int) -> Iterator[tuple[str, int, int]]:
        """Words within [start, stop), by symbol of the phrase; of a word cut in two, the part here."""
        words = self._reading.words
        for word in words[bisect_right(self._ends, start) : bisect_left(self._starts, stop)]:
            first, last = max(word.start, start), min(word.end, stop)
            yield self._part(word, first, last), 1 + first - start, 1 + last - start

    def _part(self, word: Word, first: int, last: int) -> str:
        """Characters of a word that its phonemes [first, last) stand for; all where that is not known."""
        offsets = self._reading.offsets
        characters = sorted(set(offsets[word.start : word.end]))
        if len(characters) != len(word.text):
            return word.text
        return word.text[characters.index(offsets[first]) : characters.index(offsets[last - 1]) + 1]

    def _cut_first(self, span: _Open) -> None:
        """Cut a long first phrase behind its last early comma, if it has one."""
        fewest, most = FIRST_PHONEMES
        early = range(span.start + fewest, span.start + most)
        commas = [i + 1 for i in early if self._reading.phonemes[i] in PUNCTUATION]
        if commas:
            self._cut(span, commas[-1])

    def _cut_long(self, span: _Open) -> None:
        """Cut an over-long phrase behind its last comma, else before its last word, else where it stands."""
        earliest = span.start + MAX_PHONEMES // 3
        commas = [i + 1 for i in range(earliest, span.stop) if self._reading.phonemes[i] in PUNCTUATION]
        words = self._starts[bisect_right(self._starts, earliest) : bisect_left(self._starts, span.stop)]
        self._cut(span, (commas or words or [span.stop])[-1])

    def _cut(self, span: _Open, cut: int) -> None:
        """Let the part before ``cut`` go and keep the rest open."""
        later = [cue for cue in span.cues if cue[1] >= cut]
        self._open = _Open(span.start, cut, [cue for cue in span.cues if cue[1] < cut])
        self._close()
        if cut < span.stop:
            self._open = _Open(cut, span.stop, later)
        else:
            self._waiting += [name for name, _ in later]
