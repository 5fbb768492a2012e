"""What the decoder says of each frame: the two envelopes and how loud both are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .spec import FRAME_OUTPUTS, N_BINS, SUBFRAMES

Float32 = NDArray[np.float32]

WIDTHS = (2 * N_BINS, N_BINS, 2 * SUBFRAMES)
"""Columns of each part, in the order in which the graph gives them."""
_EDGES = (WIDTHS[0], WIDTHS[0] + WIDTHS[1])


class Frames(NamedTuple):
    """Frames of one window, part by part."""

    harmonic: Float32
    """(T, 2 * N_BINS) log-magnitude and phase of the harmonic part."""
    noise: Float32
    """(T, N_BINS) log-magnitude of the noise."""
    gains: Float32
    """(T, 2 * SUBFRAMES) log gains of both within a frame."""

    @classmethod
    def of(cls, whole: Float32) -> Frames:
        """Parts of (T, FRAME_OUTPUTS), not copied."""
        return cls(
            whole[:, : _EDGES[0]], whole[:, _EDGES[0] : _EDGES[1]], whole[:, _EDGES[1] : FRAME_OUTPUTS]
        )

    def between(self, start: int, stop: int) -> Frames:
        """Frames [start, stop), not copied."""
        return Frames(self.harmonic[start:stop], self.noise[start:stop], self.gains[start:stop])

    @classmethod
    def joined(cls, windows: Sequence[Frames]) -> Frames:
        """Windows one after the other, copied."""
        return cls(*(np.concatenate(parts) for parts in zip(*windows, strict=True)))
