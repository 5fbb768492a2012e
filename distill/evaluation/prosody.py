"""Prosody against the teacher: durations and pitch, phoneme by phoneme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.spec import F0_POINTS

from .speech import Recording, same_phonemes

FEW = 30  # fewer pairs than this give no correlation worth the name


@dataclass(frozen=True)
class Agreement:
    """Pearson correlation between teacher and student with the errors beside it."""

    correlation: float
    """NaN with fewer than ``FEW`` pairs."""
    mean_error: float
    """Root mean square difference, ms for durations, semitones for pitch."""
    bias: float
    """Student minus teacher, same unit."""
    n: int
    """Pairs."""

    @classmethod
    def between(cls, teacher: NDArray[np.float64], student: NDArray[np.float64]) -> Agreement:
        """Compare two series (n,)."""
        if len(teacher) < FEW or teacher.std() == 0 or student.std() == 0:
            return cls(float("nan"), float("nan"), float("nan"), len(teacher))
        difference = student - teacher
        correlation = float(np.corrcoef(teacher, student)[0, 1])
        error = float(np.sqrt((difference**2).mean()))
        return cls(correlation, error, float(difference.mean()), len(teacher))

    @classmethod
    def within(cls, pairs: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Agreement:
        """Compare series of several sentences, each less its own mean: what is left is how a sentence moves.

        Args:
            pairs: (n,) of teacher and student for each sentence.
        """
        moves = [tuple(series - series.mean() for series in pair) for pair in pairs if len(pair[0])]
        if not moves:
            return cls.between(np.zeros(0), np.zeros(0))
        return cls.between(*(np.concatenate([pair[side] for pair in moves]) for side in (0, 1)))


Pairs = Sequence[tuple[Recording, Recording]]


def comparable(pairs: Pairs) -> list[tuple[Recording, Recording]]:
    """Keep the (teacher, student) pairs that tell their phonemes and tell the same ones."""
    return [(t, s) for t, s in pairs if t.sounding and same_phonemes(t, s)]


def durations(pair: tuple[Recording, Recording]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (n,) lengths of the sounding phonemes of teacher and student, in ms."""
    teacher, student = (np.array([1000.0 * segment.duration for segment in one.sounding]) for one in pair)
    return teacher, student


def pitches(pair: tuple[Recording, Recording]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (n,) pitch at equal places of equal phonemes where both voices sound, in semitones."""
    (teacher, first), (student, second) = map(phoneme_pitch, pair)
    both = first & second
    return teacher[both], student[both]


def duration_agreement(pairs: Pairs) -> Agreement:
    """Compare the length of every sounding phoneme, in ms."""
    return _together([durations(pair) for pair in comparable(pairs)])


def pitch_agreement(pairs: Pairs) -> Agreement:
    """Compare pitch at equal places of equal phonemes, where both voices sound; in semitones."""
    return _together([pitches(pair) for pair in comparable(pairs)])


def _together(series: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> Agreement:
    teacher, student = (np.concatenate([np.zeros(0), *(pair[side] for pair in series)]) for side in (0, 1))
    return Agreement.between(teacher, student)


def phoneme_pitch(recording: Recording) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Pitch in semitones and voicing at places of each sounding phoneme, both (n_phonemes, F0_POINTS)."""
    segments = recording.sounding
    pitch, voiced = recording.pitch.at(np.concatenate([segment.points(F0_POINTS) for segment in segments]))
    shape = (len(segments), F0_POINTS)
    return pitch.reshape(shape), voiced.reshape(shape)
