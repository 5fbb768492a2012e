"""Statistics that a few bad lines cannot spoil."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

GAUSSIAN = 1.4826  # median absolute deviation to standard deviation


def centre_and_spread(values: ArrayLike, least: float = 0.0) -> tuple[float, float]:
    """Give the median and the standard deviation that the median absolute deviation stands for."""
    found = np.asarray(values, np.float64)
    centre = float(np.median(found))
    return centre, max(least, GAUSSIAN * float(np.median(np.abs(found - centre))))


def fit_plane(columns: Sequence[ArrayLike], target: ArrayLike, rounds: int = 20) -> NDArray[np.float64]:
    """Fit ``target`` by a weighted sum of columns; a line that is far off counts less (Huber's weights)."""
    matrix, wanted = (
        np.column_stack([np.asarray(c, np.float64) for c in columns]),
        np.asarray(target, np.float64),
    )
    weights = np.ones(len(wanted))
    for _ in range(rounds):
        root = np.sqrt(weights)
        found = np.linalg.lstsq(matrix * root[:, None], wanted * root, rcond=None)[0]
        error = np.abs(wanted - matrix @ found)
        _, spread = centre_and_spread(wanted - matrix @ found, least=1e-6)
        weights = np.minimum(1.0, 1.345 * spread / np.maximum(error, 1e-9))
    return np.asarray(found)
