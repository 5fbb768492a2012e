"""Mandarin tones by their pitch, judged by a classifier that has only heard the teacher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .discriminant import Discriminant
from .pitch import Contour
from .speech import Recording, Segment

FEW_SYLLABLES = 50  # fewer than this teach no classifier and judge nobody
SHAPE_POINTS = 8  # places along the rime
NEIGHBOUR_POINTS = 2  # places next to it on either side: a tone is heard against what surrounds it


@dataclass(frozen=True)
class Syllable:
    """A rime with its tone and what the classifier sees of it."""

    tone: str
    """``1`` to ``5``."""
    features: NDArray[np.float64]
    """(n_features,)."""


def syllables(recording: Recording) -> Iterator[Syllable]:
    """Yield the Mandarin syllables of a line; those without a voiced point are left out.

    Features: pitch along the rime in semitones against the line's median, its steps from the syllable before
    and to the one after, the length of the rime and how much of it is voiced.
    """
    contour = recording.pitch
    rimes = [segment for segment in recording.sounding if is_rime(segment.symbol)]
    for index, rime in enumerate(rimes):
        pitch, voiced = contour.at(rime.points(SHAPE_POINTS))
        if not voiced.any():
            continue
        before = _edge(contour, rimes[index - 1] if index else None, last=True)
        after = _edge(contour, rimes[index + 1] if index + 1 < len(rimes) else None, last=False)
        shape = pitch - contour.median
        around = [shape[0] - before if before else 0.0, after - shape[-1] if after else 0.0]
        features = np.concatenate([shape, around, [np.log(rime.duration), float(voiced.mean())]])
        yield Syllable(rime.symbol[-1], features)


def _edge(contour: Contour, rime: Segment | None, last: bool) -> float:
    """Mean pitch of the nearer end of a neighbour against the line's median; 0 without one."""
    if rime is None:
        return 0.0
    points = rime.points(SHAPE_POINTS)
    pitch, _ = contour.at(points[-NEIGHBOUR_POINTS:] if last else points[:NEIGHBOUR_POINTS])
    return float(pitch.mean() - contour.median)


def is_rime(symbol: str) -> bool:
    """Whether a symbol is a Mandarin final: those end in the digit of their tone."""
    return symbol[-1:] in "12345" and symbol[:1].islower()


def count_syllables(lines: Sequence[Recording]) -> int:
    """Count the Mandarin syllables that are cut out of some lines."""
    return sum(is_rime(segment.symbol) for line in lines for segment in line.sounding)


class ToneClassifier:
    """Learns tones from a teacher's lines.

    Raises:
        ValueError: the lines hold fewer than two tones.
    """

    def __init__(self, lines: Sequence[Recording]) -> None:
        known = [syllable for line in lines for syllable in syllables(line)]
        self.n_syllables = len(known)
        self._discriminant = Discriminant.fit(np.stack([s.features for s in known]), [s.tone for s in known])

    def accuracy(self, lines: Sequence[Recording]) -> tuple[float, int]:
        """Return the percent of syllables whose tone is recognised, and how many were heard."""
        heard = [syllable for line in lines for syllable in syllables(line)]
        if not heard:
            return float("nan"), 0
        features = np.stack([s.features for s in heard])
        return self._discriminant.accuracy(features, [s.tone for s in heard]), len(heard)
