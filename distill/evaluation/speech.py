"""A spoken line as every measure sees it, whoever spoke it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge.spec import LEADING_SYMBOL, SAMPLE_RATE, ZERO_LENGTH_SYMBOLS
from edge.text.symbols import PUNCTUATION

from .pitch import Contour

Samples = NDArray[np.float32]

_SILENT = frozenset(PUNCTUATION) | {LEADING_SYMBOL, *ZERO_LENGTH_SYMBOLS}


def is_sounding(symbol: str) -> bool:
    """False for pauses, punctuation and pitch marks."""
    return symbol not in _SILENT


@dataclass(frozen=True)
class Segment:
    """A phoneme and the stretch of sound that carries it, in seconds."""

    symbol: str
    start: float
    end: float

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.end - self.start

    @property
    def sounds(self) -> bool:
        """False for pauses, punctuation and pitch marks."""
        return is_sounding(self.symbol)

    def points(self, n_points: int) -> NDArray[np.float64]:
        """Times (n_points,) evenly spread over the segment, half a step from its ends."""
        return self.start + (np.arange(n_points) + 0.5) / n_points * self.duration


@dataclass(frozen=True)
class Recording:
    """One line of a teacher or of a student."""

    text: str
    character: str
    language: str
    emotion: str
    audio: Samples
    """(n_samples,) in [-1, 1] at ``SAMPLE_RATE``."""
    segments: tuple[Segment, ...] = ()
    """In order, without pitch marks; empty when the speaker does not tell."""

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return len(self.audio) / SAMPLE_RATE

    @cached_property
    def pitch(self) -> Contour:
        """Pitch contour; several measures look at the same one, and tracking is what takes their time."""
        return Contour.of(self.audio)

    @property
    def sounding(self) -> tuple[Segment, ...]:
        """Segments that are heard."""
        return tuple(segment for segment in self.segments if segment.sounds)

    def with_audio(self, audio: Samples) -> Recording:
        """The same line with other sound: for tests that damage a line on purpose."""
        return replace(self, audio=audio.astype(np.float32))


def same_phonemes(one: Recording, other: Recording) -> bool:
    """Whether two recordings say the same phonemes, pauses apart."""
    return [s.symbol for s in one.sounding] == [s.symbol for s in other.sounding]
