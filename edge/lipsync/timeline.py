"""When each word, phoneme and mouth shape of a line begins and how long it lasts.

Times come from the durations with which the sound itself was made. A line is built phrase by phrase; each
phrase is a segment with times from the start of the line; the segments together are the line's timeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from ..spec import SAMPLE_RATE, ZERO_LENGTH_SYMBOLS
from .visemes import Target, phoneme_targets

MIN_VISEME_S = 0.030  # below two video frames a shape is seen as a flicker

_DIGITS = 4  # decimals of a second: 0.1 ms


class TimedWord(NamedTuple):
    """A spoken word from ``t`` s for ``d`` s; ``offset`` is its place in the plain text, -1 if unknown."""

    t: float
    d: float
    text: str
    offset: int = -1


class TimedPhoneme(NamedTuple):
    """A phoneme or pause of the inventory, from ``t`` s for ``d`` s."""

    t: float
    d: float
    ph: str


class Viseme(NamedTuple):
    """A mouth shape of the Oculus set, from ``t`` s for ``d`` s; ``w`` (0 to 1) is how far the mouth goes."""

    t: float
    d: float
    v: str
    w: float = 1.0

    @property
    def end(self) -> float:
        """When it ends, in seconds."""
        return round(self.t + self.d, _DIGITS)


@dataclass(frozen=True)
class Timeline:
    """Words, phonemes and visemes of a line or a segment of it; times count from the line's first sample."""

    words: tuple[TimedWord, ...] = ()
    phonemes: tuple[TimedPhoneme, ...] = ()
    visemes: tuple[Viseme, ...] = ()


def phrase_timeline(
    phonemes: Sequence[str],
    languages: Sequence[str],
    boundaries: Sequence[int],
    words: Iterable[tuple[str, int, int]] = (),
    offsets: Sequence[int] = (),
) -> Timeline:
    """Time one phrase.

    Args:
        phonemes: (P,) symbols as the student was given them, pauses and pitch marks included.
        languages: (P,) language of each.
        boundaries: (P + 1,) sample positions in the line at which phonemes begin, and the end.
        words: text, first phoneme and phoneme after the last of each spoken word.
        offsets: (P,) place of each phoneme in the plain text; only needed for byte offsets in the Polly form.

    Returns:
        A segment that covers [boundaries[0], boundaries[-1]) without gaps.

    Raises:
        ValueError: the lengths do not fit or the boundaries run backwards.
    """
    if not len(phonemes) == len(languages) == len(boundaries) - 1:
        raise ValueError(
            f"{len(phonemes)} phonemes need as many languages and one boundary more, "
            f"found {len(languages)} and {len(boundaries)}"
        )
    if any(left > right for left, right in pairwise(boundaries)):
        raise ValueError("phoneme boundaries must not run backwards")
    seconds = [round(boundary / SAMPLE_RATE, _DIGITS) for boundary in boundaries]
    return Timeline(
        tuple(
            TimedWord(
                seconds[first],
                _length(seconds[first], seconds[last]),
                text,
                offsets[first] if offsets else -1,
            )
            for text, first, last in words
        ),
        tuple(
            TimedPhoneme(start, _length(start, end), phoneme)
            for phoneme, start, end in zip(phonemes, seconds, seconds[1:], strict=False)
            if phoneme not in ZERO_LENGTH_SYMBOLS and end > start
        ),
        _visemes(phonemes, languages, seconds),
    )


def silence_timeline(start: int, end: int) -> Timeline:
    """Time a pause between two phrases, from sample ``start`` to sample ``end`` of the line."""
    return phrase_timeline(("SP",), ("zh",), (start, end))


def shifted(timeline: Timeline, n_samples: int) -> Timeline:
    """Move a timeline behind ``n_samples`` of other sound."""
    by = n_samples / SAMPLE_RATE

    def later(t: float) -> float:
        return round(t + by, _DIGITS)

    return Timeline(
        tuple(word._replace(t=later(word.t)) for word in timeline.words),
        tuple(phoneme._replace(t=later(phoneme.t)) for phoneme in timeline.phonemes),
        tuple(viseme._replace(t=later(viseme.t)) for viseme in timeline.visemes),
    )


def concatenate(segments: Iterable[Timeline]) -> Timeline:
    """Put the segments of a line together."""
    segments = list(segments)
    return Timeline(
        tuple(word for segment in segments for word in segment.words),
        tuple(phoneme for segment in segments for phoneme in segment.phonemes),
        tuple(viseme for segment in segments for viseme in segment.visemes),
    )


def _length(start: float, end: float) -> float:
    return round(end - start, _DIGITS)


class _Shape:
    """A mouth shape while its time is still being settled, from ``start`` to ``end`` seconds."""

    __slots__ = ("end", "length", "start", "viseme", "weight")

    def __init__(self, start: float, end: float, viseme: str, weight: float) -> None:
        self.viseme, self.weight = viseme, weight
        self.last(start, end)

    def last(self, start: float, end: float) -> None:
        """Take this time."""
        self.start, self.end, self.length = start, end, _length(start, end)

    def looks_like(self, other: _Shape) -> bool:
        """Tell whether nobody sees where one ends and the other begins."""
        return self.viseme == other.viseme and self.weight == other.weight

    @property
    def hold(self) -> tuple[bool, bool, float]:
        """How well it may last longer: the greater the better."""
        return self.viseme != "sil", self.viseme != "PP", self.length


def _visemes(
    phonemes: Sequence[str], languages: Sequence[str], seconds: Sequence[float]
) -> tuple[Viseme, ...]:
    sounding = [
        index
        for index, phoneme in enumerate(phonemes)
        if phoneme not in ZERO_LENGTH_SYMBOLS and seconds[index + 1] > seconds[index]
    ]
    symbols = [phonemes[index] for index in sounding]
    track: list[_Shape] = []
    for place, index in enumerate(sounding):
        targets = phoneme_targets(symbols, place, languages[index])
        if not targets:  # a held shape
            targets = (Target(track[-1].viseme, track[-1].weight),) if track else (Target("sil"),)
        for shape in _share_out(targets, seconds[index], seconds[index + 1]):
            if track and track[-1].looks_like(shape):
                track[-1].last(track[-1].start, shape.end)
            else:
                track.append(shape)
    _remove_flicker(track)
    return tuple(Viseme(shape.start, shape.length, shape.viseme, shape.weight) for shape in track)


def _share_out(targets: Sequence[Target], start: float, end: float) -> list[_Shape]:
    """Divide a phoneme between its shapes; glides that have no room for ``MIN_VISEME_S`` are left out."""
    if len(targets) == 1:
        return [_Shape(start, end, targets[0].viseme, targets[0].weight)]
    kept = list(targets)
    while len(kept) > 1:
        smallest = min(kept, key=lambda target: target.share)
        if smallest.share / sum(target.share for target in kept) * (end - start) >= MIN_VISEME_S:
            break
        kept.remove(smallest)
    total = sum(target.share for target in kept)
    result = []
    done, left = 0.0, start
    for target in kept:
        done += target.share
        right = end if target is kept[-1] else round(start + (end - start) * done / total, _DIGITS)
        result.append(_Shape(left, right, target.viseme, target.weight))
        left = right
    return result


def _remove_flicker(track: list[_Shape]) -> None:
    """Give the time of too short shapes to a neighbour; closed lips stay, however short: they are seen."""
    while len(track) > 1:
        short = [i for i, shape in enumerate(track) if shape.length < MIN_VISEME_S and shape.viseme != "PP"]
        if not short:
            return
        index = min(short, key=lambda i: track[i].length)
        _give_away(track, index)


def _give_away(track: list[_Shape], index: int) -> None:
    """Give the time of a shape to that of its neighbours which may better last longer."""
    beside = [i for i in (index + 1, index - 1) if 0 <= i < len(track)]
    heir = track[max(beside, key=lambda i: track[i].hold)]
    gone = track.pop(index)
    heir.last(min(gone.start, heir.start), max(gone.end, heir.end))
    if 0 < index < len(track) and track[index - 1].looks_like(track[index]):
        after = track.pop(index)
        track[index - 1].last(track[index - 1].start, after.end)
