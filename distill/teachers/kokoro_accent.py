"""The pitch accent of Japanese, which Kokoro-82M guesses from the phonemes and mostly gets wrong.

Where our reading has ``]`` its F0 falls no more often than it rises (docs/kokoro.md): a student could not
learn from it what the marks mean. So the F0 of each clause is drawn anew: high and low morae as the reading
has them, over the slope of the network's own contour, as lively as that contour; its small movements stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.text import Reading
from edge.text.symbols import PUNCTUATION

from .kokoro_network import PITCH_STEP, SAMPLE_RATE

RISE, FALL = "[", "]"
DOWNSTEP = 0.75  # height of what follows a fall in the same clause, against what came before
LIVELINESS = (1.6, 3.0)  # least and greatest spread of high and low, semitones (standard deviation)
SLOPES = (-4.0, 0.0)  # of a clause, semitones per second
GLIDE_S = 0.08  # standard deviation of the smoothing between high and low
MICRO_S = 0.06  # movements of the network that are shorter stay
QUESTION_ST = 4.0  # least rise of the last mora of a question
_VOWELS = frozenset("aiueoAIUEO") | {"N"}
_STEP_S = PITCH_STEP / SAMPLE_RATE

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mora:
    """A vowel or N: when it sounds, seconds, and how high it is, 0 to 1."""

    start: float
    end: float
    height: float


@dataclass(frozen=True)
class Clause:
    """What is said between two marks."""

    morae: tuple[Mora, ...]
    asks: bool


def accented(
    f0: NDArray[np.float32], reading: Reading, starts: Floats, voiced_hz: float
) -> NDArray[np.float32]:
    """Draw the pitch accent of the Japanese clauses of a line.

    Args:
        f0: (n,) Hz every 12.5 ms, near 0 where unvoiced.
        reading: of the line, with pitch marks.
        starts: (P + 1,) seconds of its phonemes.
        voiced_hz: F0 above is voiced.

    Returns:
        (n,) Hz; what is unvoiced or not Japanese is as it was.
    """
    drawn = f0.astype(np.float64)
    for clause in clauses(reading, starts):
        first, last = (round(edge / _STEP_S) for edge in (clause.morae[0].start, clause.morae[-1].end))
        # The consonant before the first vowel moves with it.
        span = np.arange(max(0, first - 8), min(len(f0), last + 1))
        span = span[f0[span] > voiced_hz]
        if len(span) > 2:
            own: Floats = 12 * np.log2(drawn[span])
            drawn[span] = 2 ** (_draw(own, (span * _STEP_S).astype(np.float64), clause) / 12)
    return drawn.astype(np.float32)


def clauses(reading: Reading, starts: Floats) -> Iterator[Clause]:
    """Yield the clauses of a line that are Japanese.

    A mora before ``[`` is low and one before ``]`` is high; the others are as the last mark left them.
    """
    morae: list[Mora] = []
    height, scale = 0.0, 1.0
    for index, symbol in enumerate(reading.phonemes):
        if symbol in PUNCTUATION or reading.languages[index] != "ja":
            if morae:
                yield Clause(tuple(morae), symbol == "?")
            morae, height, scale = [], 0.0, 1.0
        elif symbol in _VOWELS:
            mark = reading.phonemes[index + 1] if index + 1 < len(reading.phonemes) else ""
            level = {RISE: 0.0, FALL: scale}.get(mark, height)
            morae.append(Mora(float(starts[index]), float(starts[index + 1]), level))
        elif symbol == RISE:
            height = scale
        elif symbol == FALL:
            height, scale = 0.0, scale * DOWNSTEP
    if morae:
        yield Clause(tuple(morae), False)


def _draw(own: Floats, seconds: Floats, clause: Clause) -> Floats:
    """Give the new contour in semitones where the own one is known."""
    heights = _heights(clause, seconds)
    slope, level = np.polyfit(seconds, own, 1)
    tilt = np.clip(slope, *SLOPES) * (seconds - seconds.mean())
    spread = heights.std()
    liveliness = np.clip((own - level - slope * seconds).std(), *LIVELINESS)
    accent = (heights - heights.mean()) * (liveliness / spread) if spread > 0.05 else 0.0 * heights
    drawn = own.mean() + tilt + accent + (own - _smoothed(own, seconds, MICRO_S))
    return drawn + _question(own, seconds, clause) if clause.asks else drawn


def _heights(clause: Clause, seconds: Floats) -> Floats:
    """Give how high the accent is at each time, gliding from mora to mora."""
    edges = [mora.start for mora in clause.morae]
    grid = np.arange(seconds[0] - 0.3, seconds[-1] + 0.3, 0.005)
    levels = np.array([mora.height for mora in clause.morae])
    # A mora begins with its consonant: the change is in the consonant before the vowel.
    steps = levels[np.clip(np.searchsorted(np.array(edges) - 0.02, grid, side="right") - 1, 0, None)]
    reach = np.arange(-0.24, 0.2401, 0.005)
    kernel = np.exp(-0.5 * (reach / GLIDE_S * 2) ** 2)
    padded = np.pad(steps, len(reach) // 2, mode="edge")
    return np.interp(seconds, grid, np.convolve(padded, kernel / kernel.sum(), mode="valid"))


def _smoothed(own: Floats, seconds: Floats, width_s: float) -> Floats:
    weights = np.exp(-0.5 * ((seconds[:, None] - seconds[None]) / width_s) ** 2)
    smooth: Floats = weights @ own / weights.sum(axis=1)
    return smooth


def _question(own: Floats, seconds: Floats, clause: Clause) -> Floats:
    """Give the rise of the last mora of a question, as high as the network's own but never flat."""
    last = clause.morae[-1]
    inside = seconds >= last.start
    if not inside.any() or inside.all():
        return np.zeros_like(own)
    rise = float(np.clip(own[inside].max() - own[~inside][-8:].mean(), QUESTION_ST, 2 * QUESTION_ST))
    progress = (seconds - last.start) / max(seconds[-1] - last.start, 0.05)
    return rise * np.clip(progress, 0.0, 1.0)
