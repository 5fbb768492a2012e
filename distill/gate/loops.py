"""Speech that repeats itself: how much of a line has been heard before in the same line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .phonetics import unit
from .spectrum import Frames

STEP = 2  # frames of 10 ms
WINDOW = 20  # steps, 0.4 s: as long as a short word
FIRST_LAG = 8  # steps, 0.16 s: a vowel that is held is like itself
SAME = 0.80  # mean cosine similarity over a window
_LONGEST = 1500  # steps, 30 s: enough to know a loop
SAME_PHONEMES = 5  # about as many as a window holds


def repeated_share(mel: Frames) -> float:
    """Give the share of a line's windows of 0.4 s that were said before, from 0 to 1.

    Args:
        mel: (n_frames, n_mels) log-mel frames every 10 ms.
    """
    steps = mel[: len(mel) // STEP * STEP].reshape(-1, STEP, mel.shape[1]).mean(axis=1)[:_LONGEST]
    level = steps.mean(axis=1)
    steps = steps[level > level.min() + 0.25 * (level.max() - level.min())]
    if len(steps) < FIRST_LAG + 2 * WINDOW:
        return 0.0
    scaled = (steps - steps.mean(axis=0)) / (steps.std(axis=0) + 1e-3)
    scaled /= np.linalg.norm(scaled, axis=1, keepdims=True) + 1e-6
    alike = scaled @ scaled.T
    repeated = np.zeros(len(steps) - WINDOW + 1, bool)
    for lag in range(FIRST_LAG, len(steps) - WINDOW + 1):
        total = np.cumsum(np.concatenate(([0.0], np.diagonal(alike, lag))))
        windows = (total[WINDOW:] - total[:-WINDOW]) / WINDOW
        repeated[lag : lag + len(windows)] |= windows > SAME
    return float(repeated.mean())


def written_share(symbols: Sequence[str]) -> float:
    """Give the share of a line's runs of phonemes that the text itself says again."""
    sounded = [name for s in symbols if (name := unit(s)) is not None]
    runs = [tuple(sounded[i : i + SAME_PHONEMES]) for i in range(len(sounded) - SAME_PHONEMES + 1)]
    seen: set[tuple[str, ...]] = set()
    again = 0
    for run in runs:
        again += run in seen
        seen.add(run)
    return again / len(runs) if runs else 0.0
