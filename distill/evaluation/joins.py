"""Clicks where the windows of a streamed line are joined.

A click is a step, and a step reaches the highest frequencies, where speech has little. So the sound is looked
at above 10 kHz: the peak near a join over the level around it. Speech has such places of its own (bursts,
hisses that set in), so the joins of a line are compared with every other place of the same line: with nothing
wrong at the joins, one in a hundred is above the line's 99th percentile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.spec import SAMPLE_RATE

from .speech import Samples

CUTOFF_HZ = 10_000.0
REACH = 16  # samples on either side of a join that belong to it: half the length of the filter
SURROUNDINGS = 256  # samples on either side, 8 ms: about one period of a low voice
PERCENTILE = 99.0
AUDIBLE_STEP = 0.01  # of full scale, 14 dB below the level of neutral speech
QUIET = 1.0 / 32768  # one 16-bit step: rounding is not a click


@dataclass(frozen=True)
class Joins:
    """How the joins of many lines compare with the rest of these lines."""

    n: int
    """Joins looked at."""
    outstanding: float
    """Percent of them above the 99th percentile of their line; 1 is what chance gives."""
    worst: float
    """Largest ratio of a join's score to the largest score elsewhere in its line."""


def prominence(audio: Samples) -> NDArray[np.float64]:
    """Return (n_samples,): the peak above 10 kHz near each sample over the root mean square around it."""
    high = np.abs(np.convolve(audio.astype(np.float64), _high_pass(), "same"))
    around = _moving_sum(high**2, SURROUNDINGS) - _moving_sum(high**2, REACH)
    power = np.maximum(around, 0.0) / (2 * (SURROUNDINGS - REACH))
    near = np.lib.stride_tricks.sliding_window_view(np.pad(high, REACH), 2 * REACH + 1).max(1)
    return np.asarray(near / np.sqrt(power + QUIET**2))


def _high_pass() -> NDArray[np.float64]:
    """Windowed-sinc filter, (2 * REACH + 1,)."""
    places = np.arange(-REACH, REACH + 1)
    ratio = 2.0 * CUTOFF_HZ / SAMPLE_RATE
    low_pass = ratio * np.sinc(ratio * places) * np.hanning(2 * REACH + 3)[1:-1]
    return (places == 0) - low_pass / low_pass.sum()


def _moving_sum(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Sum of each value and ``reach`` neighbours on either side, (n,)."""
    total = np.concatenate([[0.0], np.cumsum(np.pad(values, reach))])
    return total[2 * reach + 1 :] - total[: len(values)]


def judge(lines: Sequence[tuple[Samples, Sequence[int]]]) -> Joins:
    """Compare the joins of each line, given as sample offsets, with the rest of the line."""
    outstanding: list[bool] = []
    ratios: list[float] = []
    for audio, joins in lines:
        if not len(joins):
            continue
        score = prominence(audio)
        elsewhere = np.ones(len(score), bool)
        for join in joins:
            elsewhere[max(0, join - 2 * REACH) : join + 2 * REACH + 1] = False
        limit = np.percentile(score[elsewhere], PERCENTILE)
        outstanding.extend(bool(score[join] > limit) for join in joins)
        ratios.extend(float(score[join] / score[elsewhere].max()) for join in joins)
    if not ratios:
        return Joins(0, float("nan"), float("nan"))
    return Joins(len(ratios), 100.0 * float(np.mean(outstanding)), float(np.max(ratios)))


def with_clicks(audio: Samples, joins: Sequence[int], step: float = AUDIBLE_STEP) -> Samples:
    """Shift the sound by ``step`` for the 4 ms after each join: proof that a wrong join would be found."""
    damaged = audio.copy()
    for join in joins:
        length = min(128, len(audio) - join)
        damaged[join : join + length] += step * np.linspace(1.0, 0.0, length, dtype=np.float32)
    return damaged
