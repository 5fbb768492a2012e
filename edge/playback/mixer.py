"""Mixer: channels that sound at the same time, added up and held below a ceiling."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..audio import Pcm16
from ..loudness.limiter import Limiter
from ..spec import SAMPLE_RATE

LOOK_AHEAD = 2 * SAMPLE_RATE // 1000  # samples; everything is heard later by as much
MAX_CHANNELS = 8  # at full scale at the same time; what is beyond is cut before the limiter
_LARGEST = MAX_CHANNELS * 32_768


class Mixer:
    """Adds blocks up. Belongs to whoever draws them.

    Args:
        ceiling_dbfs: no sample that comes out is above.
    """

    def __init__(self, ceiling_dbfs: float) -> None:
        self._limiter = Limiter(0.0, ceiling_dbfs, _LARGEST, LOOK_AHEAD)
        self._limiter.process(np.zeros(LOOK_AHEAD, np.int16))
        self._n_silent = LOOK_AHEAD

    @property
    def sounds(self) -> bool:
        """Tell whether something that went in has not come out yet."""
        return self._n_silent < LOOK_AHEAD

    def mix(self, blocks: Iterable[Pcm16], out: Pcm16) -> None:
        """Add blocks up into ``out`` (n,), which lags behind them by ``LOOK_AHEAD`` samples.

        Args:
            blocks: (n,) each; none of them is silence.
            out: filled.
        """
        total = np.zeros(len(out), np.int32)
        self._n_silent += len(out)
        for block in blocks:
            total += block
            self._n_silent = 0
        out[:] = self._limiter.process(np.clip(total, -_LARGEST, _LARGEST))
