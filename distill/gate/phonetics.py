"""Phonemes of one voice: two Gaussians each, learnt from its own lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.spec import LEADING_SYMBOL, ZERO_LENGTH_SYMBOLS
from edge.text.symbols import PUNCTUATION

from .spectrum import N_CEPSTRA, Frames

STATES = 2  # in a row for each phoneme
SILENCE = 0  # index of the only state of silence
SHRINKAGE = 12.0  # frames' worth of belief that a phoneme looks like the average one
LENGTH_SHRINKAGE = 3.0  # occurrences' worth of belief that it lasts as long as the average one
_SMALLEST_VARIANCE = 0.05  # of the variance over all speech

_NOT_SOUNDED = frozenset((*PUNCTUATION, *ZERO_LENGTH_SYMBOLS, LEADING_SYMBOL))


def unit(symbol: str) -> str | None:
    """Give what a symbol sounds like whatever its tone or stress; None for marks."""
    if symbol in _NOT_SOUNDED:
        return None
    return symbol[:-1] if symbol[-1].isdigit() else symbol


@dataclass(frozen=True)
class Phonetics:
    """Gaussians over the cepstra of one character in one language."""

    units: tuple[str, ...]
    """Names; unit i has the states 1 + 2 * i and 2 + 2 * i."""
    means: Frames
    variances: Frames
    """``means``, ``variances``: (1 + 2 * n_units, 2 * N_CEPSTRA)."""
    lengths: Frames
    """(n_units,) frames that a phoneme lasts on average."""

    def states(self, symbols: Sequence[str]) -> list[int]:
        """Give the states of sounded symbols, two each; a symbol never learnt from has the average look."""
        return [1 + STATES * i + part for i in self._indices(symbols) for part in range(STATES)]

    def usual_frames(self, symbols: Sequence[str]) -> float:
        """Give the frames that the sounded ones among the symbols usually last together."""
        return float(self.lengths[self._indices([s for s in symbols if unit(s) is not None])].sum())

    def _indices(self, symbols: Sequence[str]) -> list[int]:
        index = {name: i for i, name in enumerate(self.units)}
        average = len(self.units) - 1
        return [index.get(str(unit(s)), average) for s in symbols]

    def log_likelihood(self, frames: Frames, states: Sequence[int]) -> Frames:
        """Give (n_frames, n_states) in nats."""
        chosen, position = np.unique(states, return_inverse=True)
        precision = 1 / self.variances[chosen]
        means = self.means[chosen]
        constant = -0.5 * (np.log(2 * np.pi * self.variances[chosen]) + means**2 * precision).sum(axis=1)
        scores = -0.5 * frames**2 @ precision.T + frames @ (means * precision).T + constant
        return scores[:, position]


def estimate(units: tuple[str, ...], frames: Frames, states: np.ndarray) -> Phonetics:
    """Fit the Gaussians to frames whose states are known.

    Args:
        units: the last one stands for every phoneme that was not learnt.
        frames: (n, 2 * N_CEPSTRA).
        states: (n,).
    """
    speech = frames[states != SILENCE]
    mean, variance = speech.mean(axis=0), speech.var(axis=0) + 1e-4
    n_states = 1 + STATES * len(units)
    count = np.bincount(states, minlength=n_states)[:, None].astype(np.float32)
    total = np.zeros((n_states, 2 * N_CEPSTRA), np.float32)
    squares = np.zeros_like(total)
    np.add.at(total, states, frames)
    np.add.at(squares, states, frames**2)
    means = (total + SHRINKAGE * mean) / (count + SHRINKAGE)
    spread = (
        squares - 2 * means * total + count * means**2 + SHRINKAGE * (variance + (means - mean) ** 2) * 0.5
    )
    variances = np.maximum(spread / (count + SHRINKAGE), _SMALLEST_VARIANCE * variance)
    if count[SILENCE]:
        means[SILENCE] = total[SILENCE] / count[SILENCE]
        own = squares[SILENCE] / count[SILENCE] - means[SILENCE] ** 2
        variances[SILENCE] = np.maximum(own, _SMALLEST_VARIANCE * variance)
    return Phonetics(units, means, variances.astype(np.float32), _lengths(len(units), states))


def _lengths(n_units: int, states: np.ndarray) -> Frames:
    """Average the frames of each unit, from its entry into the first state to the end of the second."""
    frames = np.bincount((states[states != SILENCE] - 1) // STATES, minlength=n_units)
    entered = states[np.diff(states, prepend=SILENCE) != 0]
    times = np.bincount((entered[entered % STATES == 1] - 1) // STATES, minlength=n_units)
    average = frames.sum() / max(1, times.sum())
    lengths: Frames = ((frames + LENGTH_SHRINKAGE * average) / (times + LENGTH_SHRINKAGE)).astype(np.float32)
    return lengths
