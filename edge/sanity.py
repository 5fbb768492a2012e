"""Sanity gate: what a broken network, engine or device gives is noise, and noise is never played.

The limits are far outside of what any voice does: they part speech from faults, not good speech from bad.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .errors import RunnerError
from .spec import FRAME_RATE, HOP_LENGTH, LEADING_SYMBOL
from .text.symbols import PUNCTUATION

MAX_PHONEME_S = 5.0  # at normal rate; the built-in voice: 0.33 s
MEAN_PHONEME_S = (0.008, 1.0)  # of a phrase, at normal rate; the built-in voice: 0.06 to 0.25 s
MAX_LEVEL = 1.0  # RMS before volume, of full scale; the built-in voice: 0.09
SILENT_LEVEL = 1e-4  # RMS before volume; the built-in voice: 0.007
MIN_SPOKEN_S = 0.3  # of speech that a stretch must have to be called silent
_REMEDY = "the network, its engine or the device is broken"


def check_durations(durations: NDArray[np.floating], sounded: NDArray[np.bool_]) -> None:
    """Refuse phonemes of a length that nobody speaks.

    Args:
        durations: (P,) frames at normal rate, finite.
        sounded: (P,) True for those that take time, at least one.

    Raises:
        RunnerError: the encoder's result is not speech.
    """
    seconds = durations[sounded] / FRAME_RATE
    longest, mean = float(seconds.max()), float(seconds.mean())
    low, high = MEAN_PHONEME_S
    if longest > MAX_PHONEME_S or not low <= mean <= high:
        raise RunnerError(
            f"phonemes of {mean:.3g} s on average and {longest:.3g} s at most are not speech: {_REMEDY}"
        )


class SoundGate:
    """Looks at the sound of one phrase, stretch by stretch, before anybody hears it.

    Args:
        symbols: (P,) of the phrase.
        durations: (P,) whole frames of each.
    """

    def __init__(self, symbols: Sequence[str], durations: NDArray[np.int64]) -> None:
        silent = (LEADING_SYMBOL, *PUNCTUATION)
        spoken = np.repeat([symbol not in silent for symbol in symbols], durations)
        self._spoken = np.concatenate([[0], np.cumsum(spoken)])  # frames of speech before each frame
        self._at = 0

    def check(self, samples: NDArray[np.float32]) -> None:
        """Refuse a stretch that no voice makes.

        Args:
            samples: (n,) the next of the phrase, before volume.

        Raises:
            RunnerError: louder than full scale, or silent where there should be speech.
        """
        start, self._at = self._at, self._at + len(samples)
        with np.errstate(over="ignore", invalid="ignore"):
            power = float(np.dot(samples, samples)) / max(len(samples), 1)
        level = power**0.5
        if not level <= MAX_LEVEL:  # NaN is not
            raise RunnerError(f"sound at {20 * np.log10(level):+.0f} dB of full scale is noise: {_REMEDY}")
        if level < SILENT_LEVEL and self._spoken_s(start, self._at) >= MIN_SPOKEN_S:
            raise RunnerError(f"silence where there should be speech: {_REMEDY}")

    def _spoken_s(self, start: int, stop: int) -> float:
        first, last = np.minimum([start // HOP_LENGTH, stop // HOP_LENGTH], len(self._spoken) - 1)
        return float(self._spoken[last] - self._spoken[first]) / FRAME_RATE
