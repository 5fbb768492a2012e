"""Silence inside a line, and how long the speech is without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.spec import SAMPLE_RATE

from ..sound import STEP, Audio, step_levels

QUIET_DB = -40.0  # below the loudest 4 ms of the line
_STEP_S = STEP / SAMPLE_RATE
SHORT_PAUSE_S = 0.15  # the closure of a consonant and the gap between words are shorter


@dataclass(frozen=True)
class Pauses:
    """Stretches between first and last sound that are quiet for longer than ``SHORT_PAUSE_S``."""

    seconds: tuple[float, ...]
    """Of each pause, longest first."""
    speech_s: float
    """From first to last sound, pauses taken out."""


def find_pauses(audio: Audio) -> Pauses:
    """Measure the pauses of a line."""
    levels = step_levels(audio)
    loud = np.flatnonzero(levels > levels.max(initial=0.0) * 10 ** (QUIET_DB / 20))
    if not len(loud):
        return Pauses((), 0.0)
    gaps = (np.diff(loud) - 1) * _STEP_S
    pauses = np.sort(gaps[gaps > SHORT_PAUSE_S])[::-1]
    whole = float(loud[-1] - loud[0] + 1) * _STEP_S
    return Pauses(tuple(pauses.round(3).tolist()), whole - float(pauses.sum()))
