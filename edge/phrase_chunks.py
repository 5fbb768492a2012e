"""Chunks of a phrase: its samples as PCM, with its silence, timeline and marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .audio import AudioChunk, Mark, to_pcm16
from .decoding import PhraseInLine
from .growing import Growing
from .lipsync.timeline import Timeline, concatenate, phrase_timeline, silence_timeline
from .phrases import Phrase
from .sanity import SoundGate
from .spec import HOP_LENGTH, SAMPLE_RATE


class PhraseCutter:
    """Makes the chunks of one phrase from its samples: the first with its silence and timeline.

    Args:
        phrase: that is spoken.
        place: of the phrase in its line, encoded already if it sounds.
    """

    def __init__(self, phrase: Phrase, place: PhraseInLine) -> None:
        durations = place.encoded.plan.durations if place.sounds else np.zeros(0, np.int64)
        start = place.start
        boundaries = start + place.silence + HOP_LENGTH * np.concatenate([[0], np.cumsum(durations)])
        self._timeline: Timeline | None = _timeline(phrase, start, boundaries)
        self._marks = [
            Mark(cue.name, start if cue.index < 0 else int(boundaries[cue.index])) for cue in phrase.cues
        ]
        self._lead, self._start, self._end = np.zeros(place.silence, np.int16), start, place.end
        self._gate = SoundGate(phrase.symbols, durations)

    def chunk(self, sound: NDArray[np.float32], volume: float) -> AudioChunk:
        """The next chunk; ``final`` is that of the phrase.

        Args:
            sound: (n,) in [-1, 1], the samples after those of the chunk before.
            volume: factor.

        Raises:
            RunnerError: no voice makes such sound.
        """
        self._gate.check(sound)
        piece = to_pcm16(sound, volume)
        samples = np.concatenate([self._lead, piece]) if len(self._lead) else piece
        start, stop = self._start, self._start + len(samples)
        final = stop == self._end
        due = tuple(mark for mark in self._marks if mark.sample < stop or final)
        chunk = AudioChunk(samples, SAMPLE_RATE, start, final, self._timeline, due)
        self._marks = [mark for mark in self._marks if mark not in due]
        self._start, self._lead, self._timeline = stop, self._lead[:0], None
        return chunk


def line_chunks(
    phrases: Sequence[Phrase],
    places: Growing[PhraseInLine],
    pieces: Iterator[tuple[int, NDArray[np.float32]]],
    volume: float,
) -> Iterator[AudioChunk]:
    """Make the chunks of a line; ``final`` is the last of all.

    Args:
        phrases: of the line.
        places: of each of them.
        pieces: index of a phrase and its next samples, in order, as ``LineDecoder.sound`` gives them.
        volume: factor.

    Raises:
        RunnerError: no voice makes such sound.
    """
    cut, current = None, -1
    for index, samples in pieces:
        if cut is None or index != current:
            cut, current = PhraseCutter(phrases[index], places[index]), index
        if places[index].sounds and not len(samples):  # it is under way
            continue
        chunk = cut.chunk(samples, volume)
        yield replace(chunk, final=chunk.final and not places.has(index + 1))


def _timeline(phrase: Phrase, start: int, boundaries: NDArray[np.int64]) -> Timeline:
    """Segment of a phrase and the silence in front of it."""
    at = [int(boundary) for boundary in boundaries]
    segments = [silence_timeline(start, at[0])] if at[0] > start else []
    if phrase.symbols:
        segments.append(phrase_timeline(phrase.symbols, phrase.languages, at, phrase.words, phrase.offsets))
    return concatenate(segments)
