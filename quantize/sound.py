"""Distance of two prosodies; for sounds see :mod:`edge.distance`."""

from __future__ import annotations

import numpy as np

from edge.runners.base import EncoderOutputs


def f0_error_cents(reference: EncoderOutputs, other: EncoderOutputs) -> float:
    """Root mean square difference of the pitch targets."""
    return float(1200 / np.log(2) * np.sqrt(np.mean((reference.f0 - other.f0) ** 2)))


def duration_error_frames(reference: EncoderOutputs, other: EncoderOutputs) -> float:
    """Root mean square difference of the phonemes' durations."""
    return float(np.sqrt(np.mean((reference.durations - other.durations) ** 2)))
