"""Look-ahead limiter for 16-bit sound: no sample leaves it above the ceiling, whatever goes in.

Every sample needs a reduction of so many steps of 1/1024 dB. The reduction that is applied begins to grow
``LOOK_AHEAD`` samples before a peak and shrinks evenly behind it:

    peak hold (the most that the next samples need) -> release (at most so many steps less per sample) -> mean

The mean is taken over the samples for which the hold lasts, so that at the peak itself it is no less than
what the peak needs. Steps are whole numbers: however the sound is cut into chunks, the result is the same bit
for bit.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..audio import FULL_SCALE, Pcm16
from ..spec import SAMPLE_RATE

Steps = NDArray[np.int64]

LOOK_AHEAD = 5 * SAMPLE_RATE // 1000  # samples
STEPS_PER_DB = 1024
RELEASE = 2  # steps per sample: 62.5 dB/s


class Limiter:
    """Turns sound up or down and holds its peaks below a ceiling. One for each stream of sound.

    Args:
        gain_db: applied to everything.
        ceiling_dbfs: at most 0; no sample that comes out is above.
        max_input: the largest absolute value that goes in; more than 32,768 where streams were added up.
        look_ahead: samples by which sound comes out later than it went in.
    """

    def __init__(
        self,
        gain_db: float,
        ceiling_dbfs: float,
        max_input: int = 32_768,
        look_ahead: int = LOOK_AHEAD,
    ) -> None:
        self._gain = db_to_gain(gain_db)
        self._look_ahead = look_ahead
        self._needs, self._gains = _tables(self._gain, db_to_gain(min(ceiling_dbfs, 0.0)), max_input)
        self._reset()

    def _reset(self) -> None:
        self._sound = np.zeros(0, np.int32)  # not yet given back
        self._need: Steps = np.zeros(self._look_ahead, np.int64)  # of what is known, from before the first
        self._released: Steps = np.zeros(self._look_ahead, np.int64)  # the last ones, for the mean
        self._held = 0

    def process(self, samples: NDArray[np.integer], *, last: bool = False) -> Pcm16:
        """Take sound; give back what is complete: all but ``look_ahead`` samples, or all of it.

        Args:
            samples: (n,) whole numbers of 16 bit, or sums of such.
            last: nothing follows; the next sound begins anew.
        """
        taken = samples.astype(np.int32)
        self._sound = np.concatenate([self._sound, taken])
        self._need = np.concatenate([self._need, self._needs[np.abs(taken)]])
        out = self._give(len(taken), max(0, len(self._sound) - self._look_ahead))
        return np.concatenate([out, self._flush()]) if last else out

    def _flush(self) -> Pcm16:
        """Give back the rest: silence follows."""
        self._need = np.concatenate([self._need, np.zeros(self._look_ahead, np.int64)])
        rest = self._give(self._look_ahead, len(self._sound))
        self._reset()
        return rest

    def _give(self, n: int, n_out: int) -> Pcm16:
        """Move on by ``n`` samples, which completes ``n_out``: before the first one there is silence."""
        if n == 0:
            return np.zeros(0, np.int16)
        reduction = self._reductions(n)
        self._need = self._need[n:]
        out, self._sound = self._sound[:n_out], self._sound[n_out:]
        gains = self._gain if reduction is None else self._gains[reduction[n - n_out :]]
        limited: Pcm16 = np.rint(out * gains).astype(np.int16)
        return limited

    def _reductions(self, n: int) -> Steps | None:
        """Return the steps for the next ``n`` samples; None if nothing has to be turned down."""
        if not (self._held or self._need.any() or self._released.any()):
            return None
        held = _forward_max(self._need, self._look_ahead + 1)[:n]
        ramp = RELEASE * np.arange(1, n + 1, dtype=np.int64)
        released = np.maximum.accumulate(held + ramp)
        released = np.maximum(np.maximum(released, self._held) - ramp, 0)
        self._held = int(released[-1])
        width = self._look_ahead + 1
        known = np.concatenate([self._released, released])
        sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(known)])
        self._released = known[len(known) - self._look_ahead :]
        reductions: Steps = -(-(sums[width:] - sums[:-width]) // width)
        return reductions


def db_to_gain(decibels: float) -> float:
    """Return the factor for a change of level."""
    return float(10.0 ** (decibels / 20))


@lru_cache(maxsize=32)
def _tables(gain: float, ceiling: float, max_input: int) -> tuple[Steps, NDArray[np.float64]]:
    """Steps that each absolute value needs, and the factor (gain included) for each number of steps."""
    limit = math.floor(FULL_SCALE * ceiling)
    values = np.arange(1, max_input + 1, dtype=np.float64)
    over_db = 20 * np.log10(np.maximum(values * gain / max(limit, 1), 1.0))
    needs = np.ceil(over_db * STEPS_PER_DB).astype(np.int64)
    needs = np.concatenate([np.zeros(1, np.int64), needs + (needs > 0)])  # a step more for roundings
    steps = np.arange(int(needs.max()) + 1)
    return needs, gain * 10.0 ** (-steps / (20 * STEPS_PER_DB))


def _forward_max(values: Steps, width: int) -> Steps:
    """Return the largest of each value and the ``width - 1`` after it, by doubling."""
    held, reach = values, 1
    while reach < width:
        step = min(reach, width - reach)
        held = np.concatenate([np.maximum(held[:-step], held[step:]), held[-step:]])
        reach += step
    return held
