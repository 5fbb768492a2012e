"""Learn how a voice's phonemes look from its lines: cut them evenly, then align and fit in turns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .first_look import Heard
from .phonetics import SILENCE, STATES, Phonetics, estimate, unit
from .trellis import best_path, build

ROUNDS = 8
_QUIET = 0.12  # share of frames taken for silence at first
UNKNOWN = "unknown"  # every phoneme that was not learnt


def learn(lines: Sequence[Heard], rounds: int = ROUNDS) -> Phonetics:
    """Fit the phonetics of one character in one language; a line too short for its phonemes is left out."""
    found = {unit(s) for line in lines for s in line.reading.phonemes} - {None}
    units = (*sorted(str(name) for name in found), UNKNOWN)
    whole = [line for line in lines if len(line.cepstra) >= STATES * line.n_sounded]
    by_length = sorted(whole, key=lambda line: len(line.cepstra))
    phonetics = _fit(units, by_length, [_even(units, line) for line in by_length])
    for turn in range(rounds):
        # Short lines first: they are quick, and an even cut is nearly right in them.
        chosen = by_length if turn >= rounds // 2 else by_length[: len(by_length) // 2 + 1]
        phonetics = _fit(units, chosen, [_cut(phonetics, line) for line in chosen])
    return phonetics


def _cut(phonetics: Phonetics, line: Heard) -> NDArray[np.int64]:
    """Give the state of each frame when the line is said as written."""
    trellis = build(phonetics, line.reading.phonemes, line.reading.words)
    _, path = best_path(phonetics.log_likelihood(line.cepstra, trellis.states), trellis)
    return np.array(trellis.states)[path]


def _fit(units: tuple[str, ...], lines: Sequence[Heard], states: Sequence[NDArray[np.int64]]) -> Phonetics:
    return estimate(units, np.concatenate([line.cepstra for line in lines]), np.concatenate(states))


def _even(units: tuple[str, ...], line: Heard) -> NDArray[np.int64]:
    """Deal the louder frames out evenly among the phonemes; the rest is silence."""
    index = {name: i for i, name in enumerate(units)}
    sounded = [index[name] for s in line.reading.phonemes if (name := unit(s)) is not None]
    row = [1 + STATES * i + part for i in sounded for part in range(STATES)]
    level = line.cepstra[:, 0]
    loud = np.flatnonzero(level > np.quantile(level, _QUIET))
    states = np.full(len(level), SILENCE)
    states[loud] = np.array(row)[np.arange(len(loud)) * len(row) // len(loud)]
    return states
