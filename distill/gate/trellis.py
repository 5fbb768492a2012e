"""The states of a line in their order, and the best way through them.

A line is a row of words; silence may stand before, between and after them. Said as written, the way leads
from the first state to the last. ``best_path`` may also be allowed to leave at the end of any word and to go
on at the start of any other: a jump ahead drops words, a jump back repeats some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edge.text.frontend import Word

from .phonetics import SILENCE, Phonetics, unit
from .spectrum import Frames

IMPOSSIBLE = np.float32(-1e9)


@dataclass(frozen=True)
class Trellis:
    """States of one line."""

    states: list[int]
    """(S,) states of the voice's phonetics."""
    phonemes: NDArray[np.int64]
    """(S,) index into the symbols of the line, -1 for silence."""
    words: NDArray[np.int64]
    """(S,) index of the word, -1 for silence."""
    silent: NDArray[np.bool_]
    """(S,) bool; silence can be passed over."""
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    """``starts``, ``ends``: first and last state of each word."""


def build(phonetics: Phonetics, symbols: Sequence[str], words: Sequence[Word]) -> Trellis:
    """Lay out the states of a line; what belongs to no word is silence or a word of its own."""
    states: list[int] = [SILENCE]
    phonemes, owners, starts, ends = [-1], [-1], [], []
    for word, (first, last) in enumerate(_spans(symbols, words)):
        sounded = [i for i in range(first, last) if unit(symbols[i]) is not None]
        own = phonetics.states([symbols[i] for i in sounded])
        starts.append(len(states))
        states += own
        phonemes += np.repeat(sounded, len(own) // len(sounded)).tolist()
        owners += [word] * len(own)
        ends.append(len(states) - 1)
        states.append(SILENCE)
        phonemes.append(-1)
        owners.append(-1)
    owner = np.array(owners)
    return Trellis(states, np.array(phonemes), owner, owner < 0, np.array(starts), np.array(ends))


def _spans(symbols: Sequence[str], words: Sequence[Word]) -> list[tuple[int, int]]:
    """Give the phonemes of each word and of each stretch between words, where something sounds."""
    edges = [0, *(edge for word in words for edge in (word.start, word.end)), len(symbols)]
    spans = [(a, b) for a, b in pairwise(edges) if b > a]
    return [(a, b) for a, b in spans if any(unit(s) is not None for s in symbols[a:b])]


def best_path(
    scores: Frames, trellis: Trellis, jump_cost: float | None = None
) -> tuple[float, NDArray[np.int64]]:
    """Find the most likely way through a line.

    Args:
        scores: (T, S) log-likelihoods of frames under states.
        trellis: of S states.
        jump_cost: nats for each jump between words; None allows none.

    Returns:
        Its log-likelihood in nats, jumps paid, and the state of each frame (T,).
    """
    n_frames, n_states = scores.shape
    came_from = np.empty((n_frames, n_states), np.int32)
    here = np.arange(n_states)
    passes = np.full(n_states, IMPOSSIBLE)
    passes[2:][trellis.silent[1:-1]] = 0.0
    value = np.full(n_states, IMPOSSIBLE)
    value[:2] = scores[0, :2]
    if jump_cost is not None:
        value[trellis.starts[1:]] = scores[0, trellis.starts[1:]] - jump_cost
    for t in range(1, n_frames):
        best, source = value.copy(), here.copy()
        moved = value[:-1] > best[1:]
        best[1:][moved], source[1:][moved] = value[:-1][moved], here[:-1][moved]
        leapt = value[:-2] + passes[2:]
        moved = leapt > best[2:]
        best[2:][moved], source[2:][moved] = leapt[moved], here[:-2][moved]
        if jump_cost is not None:
            leave = _leaving(value, trellis)
            target = value[leave] - jump_cost
            moved = target > best[trellis.starts]
            best[trellis.starts[moved]], source[trellis.starts[moved]] = target, leave
        value = best + scores[t]
        came_from[t] = source
    return _trace(value, came_from, trellis, jump_cost)


def _leaving(value: Frames, trellis: Trellis) -> int:
    """Give the best state to jump from: the end of a word, or the silence after one."""
    word, silence = (
        trellis.ends[value[trellis.ends].argmax()],
        trellis.ends[value[trellis.ends + 1].argmax()] + 1,
    )
    return int(word if value[word] >= value[silence] else silence)


def _trace(
    value: Frames, came_from: NDArray[np.int32], trellis: Trellis, jump_cost: float | None
) -> tuple[float, NDArray[np.int64]]:
    last = len(value) - 1 if value[-1] >= value[-2] else len(value) - 2
    score = float(value[last])
    if jump_cost is not None:
        leave = _leaving(value, trellis)
        if value[leave] - jump_cost > score:
            last, score = leave, float(value[leave]) - jump_cost
    path = np.empty(len(came_from), np.int64)
    path[-1] = last
    for t in range(len(path) - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return score, path
