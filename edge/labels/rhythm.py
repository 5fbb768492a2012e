"""Rhythm for "AI": its Morse code as soft tones, short long, short short; computed, never recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..spec import SAMPLE_RATE

DOT_S = 0.08
PATTERN = (1, 3, 0, 1, 1)  # lengths in dots, 0 is the gap between the letters
PITCH_HZ = 880.0
LEVEL_DBFS = -18.0
RAMP_S = 0.008
PAUSE_S = 0.1  # between the rhythm and what is said


def rhythm(level_dbfs: float = LEVEL_DBFS) -> NDArray[np.int16]:
    """(n,) PCM at 32 kHz: 0.88 s of rhythm and 0.1 s of silence.

    Args:
        level_dbfs: RMS of a tone.
    """
    gap = np.zeros(round(DOT_S * SAMPLE_RATE))
    parts: list[NDArray[np.float64]] = []
    for dots in PATTERN:
        # A letter ends with three dots of silence, one of which stands behind its last tone already.
        parts += [_tone(dots * DOT_S, level_dbfs), gap] if dots else [gap, gap]
    parts[-1] = np.zeros(round(PAUSE_S * SAMPLE_RATE))
    return np.round(np.concatenate(parts) * 32767).astype(np.int16)


def _tone(seconds: float, level_dbfs: float) -> NDArray[np.float64]:
    n, ramp = round(seconds * SAMPLE_RATE), round(RAMP_S * SAMPLE_RATE)
    envelope = np.ones(n)
    edge = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)
    envelope[:ramp], envelope[-ramp:] = edge, edge[::-1]
    tone: NDArray[np.float64] = np.sin(2 * np.pi * PITCH_HZ * np.arange(n) / SAMPLE_RATE)
    tone *= envelope * np.sqrt(2) * 10 ** (level_dbfs / 20)
    return tone
