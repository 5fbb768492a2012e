"""Tops that were cut off.

Resampling makes a cut top overshoot and ripple: of lines clipped at 22,050 Hz, one in twenty could be told
after they were brought to 32 kHz. So the sound is looked at as the teacher gave it, too.
"""

from __future__ import annotations

import numpy as np

from ..sound import Audio
from .config import GateConfig
from .fault import Fault

TOP = 0.97  # of the peak


def clipped_share(audio: Audio) -> float:
    """Give the share of samples at the top of the line; speech that is whole touches its peak a few times."""
    size = np.abs(audio)
    return float((size > TOP * size.max(initial=0.0)).mean())


def judge_clipping(config: GateConfig, audio: Audio) -> Fault | None:
    """Find a line whose tops were cut off, at whatever sample rate and level."""
    share = clipped_share(audio)
    if share <= config.clipped_share:
        return None
    detail = f"{100 * share:.2f} % of the samples are at the top"
    return Fault("clipping", share, config.clipped_share, detail)
