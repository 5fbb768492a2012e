"""When each word, phoneme and mouth shape of a line begins and how long it lasts.

Times come from the durations with which the sound itself was made. A line is built phrase by phrase; each
phrase is a segment with times from the start of the line; the segments together are the line's timeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..spec import SAMPLE_RATE, ZERO_LENGTH_SYMBOLS
from .visemes import Target, phoneme_targets

MIN_VISEME_S = 0.030  # below two video frames a shape is seen as a flicker

_DIGITS = 4  # decimals of a second: 0.1 ms


@dataclass(frozen=True)
class TimedWord:
    """A spoken word from ``t`` s for ``d`` s; ``offset`` is its place in the plain text, -1 if unknown."""

    t: float
    d: float
    text: str
    offset: int = -1


@dataclass(frozen=True)
class TimedPhoneme:
    """A phoneme or pause of the inventory, from ``t`` s for ``d`` s."""

    t: float
    d: float
    ph: str


@dataclass(frozen=True)
class Viseme:
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
        tuple(replace(word, t=later(word.t)) for word in timeline.words),
        tuple(replace(phoneme, t=later(phoneme.t)) for phoneme in timeline.phonemes),
        tuple(replace(viseme, t=later(viseme.t)) for viseme in timeline.visemes),
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


def _visemes(
    phonemes: Sequence[str], languages: Sequence[str], seconds: Sequence[float]
) -> tuple[Viseme, ...]:
    sounding = [
        (phoneme, languages[index], seconds[index], seconds[index + 1])
        for index, phoneme in enumerate(phonemes)
        if phoneme not in ZERO_LENGTH_SYMBOLS and seconds[index + 1] > seconds[index]
    ]
    symbols = [phoneme for phoneme, _, _, _ in sounding]
    track: list[Viseme] = []
    for index, (_, language, start, end) in enumerate(sounding):
        targets = phoneme_targets(symbols, index, language)
        if not targets:  # a held shape
            targets = (Target(track[-1].v, track[-1].w),) if track else (Target("sil"),)
        track.extend(_share_out(targets, start, end))
    return tuple(_without_flicker(_joined(track)))


def _share_out(targets: Sequence[Target], start: float, end: float) -> list[Viseme]:
    """Divide a phoneme between its shapes; glides that have no room for ``MIN_VISEME_S`` are left out."""
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
        result.append(Viseme(left, _length(left, right), target.viseme, target.weight))
        left = right
    return result


def _joined(track: Iterable[Viseme]) -> list[Viseme]:
    joined: list[Viseme] = []
    for viseme in track:
        if joined and (joined[-1].v, joined[-1].w) == (viseme.v, viseme.w):
            joined[-1] = replace(joined[-1], d=_length(joined[-1].t, viseme.end))
        else:
            joined.append(viseme)
    return joined


def _without_flicker(track: list[Viseme]) -> list[Viseme]:
    """Give the time of too short shapes to a neighbour; closed lips stay, however short: they are seen."""
    while len(track) > 1:
        short = [i for i, viseme in enumerate(track) if viseme.d < MIN_VISEME_S and viseme.v != "PP"]
        if not short:
            break
        index = min(short, key=lambda i: track[i].d)
        heir = max(
            (i for i in (index + 1, index - 1) if 0 <= i < len(track)),
            key=lambda i: (track[i].v != "sil", track[i].v != "PP", track[i].d),
        )
        start, end = min(track[index].t, track[heir].t), max(track[index].end, track[heir].end)
        merged = replace(track[heir], t=start, d=_length(start, end))
        first = min(index, heir)
        track = _joined([*track[:first], merged, *track[first + 2 :]])
    return track
