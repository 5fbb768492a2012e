"""Cuts of a long line into pieces that the full model can hold in mind: cut0 to cut5 of GPT-SoVITS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from edge.text import Reading

MARKS = (",", ".", "!", "?", "…")  # what other marks are read as, too
CLAUSES_PER_PIECE = 4  # cut1
PIECE_CHARACTERS = 50  # cut2
SHORTEST_PIECE = 5  # characters; a shorter one goes with the next, for the model swallows it
LONGEST_PIECE = 510  # characters that RoBERTa reads in one go


@dataclass(frozen=True)
class Piece:
    """Part of a line."""

    text: str
    """As written."""
    reading: Reading
    """Its phonemes; words and offsets count from the start of the piece."""


Span = tuple[int, int]  # phonemes [start, end) of a line


def cut(text: str, reading: Reading, method: str) -> list[Piece]:
    """Cut a line after marks; what is read stays as it is.

    Args:
        text: the line as written.
        reading: of the whole line.
        method: ``cut0`` not at all, ``cut1`` every four clauses, ``cut2`` after more than 50 characters,
            ``cut3`` and ``cut4`` at full stops, ``cut5`` at every mark.
    """
    line = _Line(text, reading)
    spans = _merge_short(line, _METHODS[method](line, line.clauses()))
    return [line.piece(*part) for span in spans for part in _split_long(line, span)]


@dataclass(frozen=True)
class _Line:
    text: str
    reading: Reading

    def clauses(self) -> list[Span]:
        """Give what lies between marks, with the marks that follow it."""
        phonemes = self.reading.phonemes
        ends = [
            index + 1
            for index, phoneme in enumerate(phonemes)
            if phoneme in MARKS and (index + 1 == len(phonemes) or phonemes[index + 1] not in MARKS)
        ]
        return [span for span in pairwise([0, *ends, len(phonemes)]) if span[0] < span[1]]

    def place(self, phoneme: int) -> int:
        """Say where in the text a phoneme comes from."""
        offsets = self.reading.offsets
        return 0 if phoneme == 0 else offsets[phoneme] if phoneme < len(offsets) else len(self.text)

    def characters(self, span: Span) -> int:
        """Count the characters of a span."""
        return len(self.text[self.place(span[0]) : self.place(span[1])].strip())

    def piece(self, start: int, end: int) -> Piece:
        """Give a span as a line of its own."""
        whole, first = self.reading, self.place(start)
        text = self.text[first : self.place(end)].strip()
        words = [word for word in whole.words if start <= word.start and word.end <= end]
        reading = Reading(
            normalized=text,
            phonemes=whole.phonemes[start:end],
            languages=whole.languages[start:end],
            offsets=tuple(offset - first for offset in whole.offsets[start:end]),
            words=tuple(replace(word, start=word.start - start, end=word.end - start) for word in words),
        )
        return Piece(text, reading)


def _whole(line: _Line, clauses: Sequence[Span]) -> list[Span]:
    return [(0, len(line.reading.phonemes))]


def _every_four(line: _Line, clauses: Sequence[Span]) -> list[Span]:
    starts = range(0, len(clauses), CLAUSES_PER_PIECE)
    return [_joined(clauses[start : start + CLAUSES_PER_PIECE]) for start in starts]


def _fifty_characters(line: _Line, clauses: Sequence[Span]) -> list[Span]:
    spans: list[Span] = []
    for clause in clauses:
        if spans and line.characters(spans[-1]) <= PIECE_CHARACTERS:
            spans[-1] = (spans[-1][0], clause[1])
        else:
            spans.append(clause)
    if len(spans) > 1 and line.characters(spans[-1]) < PIECE_CHARACTERS:
        spans[-2:] = [_joined(spans[-2:])]
    return spans


def _full_stops(line: _Line, clauses: Sequence[Span]) -> list[Span]:
    spans: list[Span] = []
    stopped = True
    for start, end in clauses:
        if stopped:
            spans.append((start, end))
        else:
            spans[-1] = (spans[-1][0], end)
        stopped = line.reading.phonemes[end - 1] == "."
    return spans


def _every_mark(line: _Line, clauses: Sequence[Span]) -> list[Span]:
    return list(clauses)


_METHODS: dict[str, Callable[[_Line, Sequence[Span]], list[Span]]] = {
    "cut0": _whole,
    "cut1": _every_four,
    "cut2": _fifty_characters,
    "cut3": _full_stops,
    "cut4": _full_stops,
    "cut5": _every_mark,
}


def _merge_short(line: _Line, spans: Iterable[Span]) -> list[Span]:
    """Join what is too short to the next span, or at the end to the one before."""
    merged: list[Span] = []
    for span in spans:
        if merged and line.characters(merged[-1]) < SHORTEST_PIECE:
            merged[-1] = (merged[-1][0], span[1])
        else:
            merged.append(span)
    if len(merged) > 1 and line.characters(merged[-1]) < SHORTEST_PIECE:
        merged[-2:] = [_joined(merged[-2:])]
    return merged


def _split_long(line: _Line, span: Span) -> list[Span]:
    """Split at marks what is longer than the model can read."""
    if line.characters(span) <= LONGEST_PIECE:
        return [span]
    parts: list[Span] = []
    for clause in line.clauses():
        if not span[0] <= clause[0] < span[1]:
            continue
        if parts and line.characters((parts[-1][0], clause[1])) <= LONGEST_PIECE:
            parts[-1] = (parts[-1][0], clause[1])
        else:
            parts.append(clause)
    return parts


def _joined(spans: Sequence[Span]) -> Span:
    return spans[0][0], spans[-1][1]
