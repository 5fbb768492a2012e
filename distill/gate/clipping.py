"""Tops that were cut off."""

from __future__ import annotations

import numpy as np

from ..sound import Audio

TOP = 0.97  # of the peak; resampling leaves a cut top that flat


def clipped_share(audio: Audio) -> float:
    """Give the share of samples at the top of the line; speech that is whole touches its peak a few times."""
    size = np.abs(audio)
    return float((size > TOP * size.max(initial=0.0)).mean())
