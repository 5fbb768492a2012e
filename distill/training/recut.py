"""Cut a line again, knowing how long each phoneme usually lasts.

The aligner judges sound alone, and where two phonemes sound alike it puts the boundary between them anywhere:
a consonant then takes the glide behind it, or leaves it to the vowel. How long each of them lasts elsewhere
decides such cases.

Source: hidden Markov models with explicit durations, Rabiner 1989, section IV.D.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.spec import LEADING_SYMBOL
from edge.text.symbols import PUNCTUATION, SYMBOL_TO_ID
from models.aligner import STATES_PER_PHONEME

# Frames that follow each other tell the same thing 40 bands at a time, so the sound counts for far too much.
# At 20, one in a thousand of mei's vowels is cut to 24 ms or less, without a second cut one in thirty.
WEIGHT = 20.0
LEAST_SPREAD = 0.2  # of the log of a length
RARE = 5.0  # what all voices do counts like so many cuts of one voice
REACH = 4.0  # spreads above the usual beyond which no length is tried
LONG_ENOUGH = 8  # steps that are tried of every phoneme
PAUSES = frozenset(SYMBOL_TO_ID[symbol] for symbol in (*PUNCTUATION, LEADING_SYMBOL))

Spread = tuple[float, float]  # centre and spread of log lengths


@dataclass(frozen=True)
class Cut:
    """One line: whose voice it is, its sounded phonemes (P,) and the length of each in steps (P,)."""

    voice: int
    phoneme_ids: Sequence[int]
    steps: NDArray[np.int64]


class UsualLengths:
    """How long each phoneme lasts in each voice.

    Args:
        cuts: of all lines.
    """

    def __init__(self, cuts: Iterable[Cut]) -> None:
        in_voice: dict[tuple[int, int], list[float]] = defaultdict(list)
        in_all: dict[int, list[float]] = defaultdict(list)
        for cut in cuts:
            for phoneme, length in zip(cut.phoneme_ids, np.log(cut.steps).tolist(), strict=True):
                in_voice[cut.voice, phoneme].append(length)
                in_all[phoneme].append(length)
        anywhere = {phoneme: _spread(lengths) for phoneme, lengths in in_all.items()}
        self._usual = {
            (voice, phoneme): _towards(_spread(lengths), len(lengths), anywhere[phoneme])
            for (voice, phoneme), lengths in in_voice.items()
        }

    def scores(self, voice: int, phoneme_ids: Sequence[int], n_frames: int) -> list[NDArray[np.float64]]:
        """Return per phoneme the weighted log-probability of lasting 3, 4, ... steps; all 0 for a pause."""
        lengths = np.log(np.arange(STATES_PER_PHONEME, n_frames + 1))
        return [self._score(voice, phoneme, lengths) for phoneme in phoneme_ids]

    def _score(self, voice: int, phoneme: int, lengths: NDArray[np.float64]) -> NDArray[np.float64]:
        if phoneme in PAUSES:
            return np.zeros(len(lengths))
        centre, spread = self._usual[voice, phoneme]
        lengths = lengths[lengths <= max(centre + REACH * spread, np.log(LONG_ENOUGH))]
        scores: NDArray[np.float64] = WEIGHT * (-0.5 * ((lengths - centre) / spread) ** 2 - lengths)
        return scores


def _spread(lengths: Sequence[float]) -> Spread:
    centre = float(np.median(lengths))
    return centre, max(LEAST_SPREAD, 1.4826 * float(np.median(np.abs(np.array(lengths) - centre))))


def _towards(own: Spread, n: int, whole: Spread) -> Spread:
    centre, spread = ((n * a + RARE * b) / (n + RARE) for a, b in zip(own, whole, strict=True))
    return centre, spread


def recut(log_likelihood: NDArray[np.float32], cut: Cut, usual: UsualLengths) -> Cut:
    """Find the cut that sound and lengths together make the most likely.

    Args:
        log_likelihood: (T, 3 * P) of each step under the states of each phoneme.
        cut: by sound alone; it stays where no lengths that are tried reach over the whole line.
        usual: what is known of lengths.
    """
    sums = np.zeros((len(log_likelihood) + 1, log_likelihood.shape[1]))
    np.cumsum(log_likelihood, axis=0, out=sums[1:])
    best = np.full(len(sums), -np.inf)  # [t] of the phonemes so far, if they end before step t
    best[0] = 0.0
    picks = []
    for k, score in enumerate(usual.scores(cut.voice, cut.phoneme_ids, len(log_likelihood))):
        states = sums[:, k * STATES_PER_PHONEME : (k + 1) * STATES_PER_PHONEME]
        start = _back(best - states[:, 0], STATES_PER_PHONEME, len(score))
        total = _best_changes(states, len(score)) + start + score
        pick = total.argmax(axis=1)
        best = np.take_along_axis(total, pick[:, None], axis=1)[:, 0] + states[:, -1]
        picks.append(pick + STATES_PER_PHONEME)
    return cut if np.isneginf(best[-1]) else replace(cut, steps=_trace(picks, len(log_likelihood)))


def _best_changes(sums: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return (T, n) what a phoneme of states + k steps that ends before step t gains by its changes of state.

    Args:
        sums: (T, states) likelihood of all steps before t.
        n: lengths to try.
    """
    gain = np.zeros((len(sums), n))
    states = sums.shape[1]
    for left in range(1, states):  # states that come after the change
        change = _back(sums[:, -left - 1] - sums[:, -left], left, n)
        gain = np.maximum.accumulate(change + gain, axis=1)
    return gain


def _trace(picks: Sequence[NDArray[np.int64]], end: int) -> NDArray[np.int64]:
    """Follow the best lengths (P arrays, by the step where a phoneme ends) back from the end of the line."""
    steps = []
    for pick in reversed(picks):
        steps.append(int(pick[end]))
        end -= steps[-1]
    return np.array(steps[::-1], dtype=np.int64)


def _back(values: NDArray[np.float64], least: int, n: int) -> NDArray[np.float64]:
    """Return (T, n) with ``values[t - least - k]`` at [t, k], minus infinity before the start."""
    padded = np.concatenate([np.full(n - 1 + least, -np.inf), values[: len(values) - least]])
    return np.lib.stride_tricks.sliding_window_view(padded, n)[:, ::-1]
