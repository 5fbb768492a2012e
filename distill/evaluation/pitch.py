"""The fundamental frequency of a line, tracked once and read off anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.spec import SAMPLE_RATE

from ..training.features import FINE_HOP, believable, fundamental

POINT_RATE = SAMPLE_RATE / FINE_HOP  # 125 points/s


@dataclass(frozen=True)
class Contour:
    """Pitch every 8 ms."""

    semitones: NDArray[np.float64]
    """(n,) above 1 Hz, interpolated where not voiced."""
    voiced: NDArray[np.bool_]
    """(n,) bool; False where the tracker may be wrong, next to unvoiced points."""

    @classmethod
    def of(cls, audio: NDArray[np.float32]) -> Contour:
        """Track ``audio`` (n_samples,) at 32 kHz."""
        n_points = len(audio) // FINE_HOP + 1
        log_f0, voiced = fundamental(audio.astype(np.float64), n_points)
        smooth, sure = believable(log_f0, voiced)
        return cls(smooth * (12.0 / np.log(2.0)), sure)

    @property
    def median(self) -> float:
        """Of the voiced points, semitones; NaN in a line without voice."""
        return float(np.median(self.semitones[self.voiced])) if self.voiced.any() else float("nan")

    @property
    def spread(self) -> float:
        """Interquartile range of the voiced points, semitones."""
        if not self.voiced.any():
            return float("nan")
        low, high = np.percentile(self.semitones[self.voiced], (25, 75))
        return float(high - low)

    def at(self, times: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return pitch and voicing at ``times`` (n,) in seconds."""
        places = times * POINT_RATE
        near = np.clip(np.rint(places).astype(int), 0, len(self.voiced) - 1)
        return np.interp(places, np.arange(len(self.semitones)), self.semitones), self.voiced[near]
