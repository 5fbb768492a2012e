"""Emotions told apart: a sad line is slower and lower than the same line said happily."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .speech import Recording


@dataclass(frozen=True)
class Contrast:
    """Sad against happy over pairs of equal lines."""

    slower: float
    """Median ratio of lengths, above 1 when sad is slower."""
    lower: float
    """Median drop of the median pitch, semitones, above 0 when sad is lower."""
    share: float
    """Percent of pairs in which sad is both slower and lower."""
    n: int
    """Pairs."""


def contrast(pairs: Sequence[tuple[Recording, Recording]]) -> Contrast:
    """Compare (sad, happy) renderings of the same lines by the same character."""
    if not pairs:
        return Contrast(float("nan"), float("nan"), float("nan"), 0)
    ratios = np.array([_spoken_seconds(sad) / _spoken_seconds(happy) for sad, happy in pairs])
    drops = np.array([happy.pitch.median - sad.pitch.median for sad, happy in pairs])
    both = (ratios > 1.0) & (drops > 0.0)
    return Contrast(float(np.median(ratios)), float(np.median(drops)), 100.0 * float(both.mean()), len(pairs))


def _spoken_seconds(recording: Recording) -> float:
    """From the first to the last sample louder than 1 % of the peak."""
    level = np.abs(recording.audio)
    loud = np.flatnonzero(level > 0.01 * level.max())
    return max(float(loud[-1] - loud[0]), 1.0)
