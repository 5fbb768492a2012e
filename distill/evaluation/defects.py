"""Faults of a single line: clipping, silence where there should be speech, nothing heard at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.spec import SAMPLE_RATE

from .speech import Recording, Segment

BLOCK = 160  # samples, 5 ms
SILENCE_DB = -45.0  # below the line's loudest block
SPOKEN_LEVEL = 0.01  # of full scale; neutral speech lies at 0.05
SHORTEST_S, LONGEST_S = 0.05, 2.0  # time above that level, and length, of a line of one syllable
CLIPPED_RUN = 3  # samples in a row at full scale; one alone may be a peak


@dataclass(frozen=True)
class Defects:
    """What is wrong with a line."""

    finite: bool
    """No NaN and no infinity."""
    clipped: int
    """Samples in runs of at least ``CLIPPED_RUN`` at full scale."""
    dead_air_s: float
    """Longest silence inside speech, seconds."""
    peak: float
    """Largest magnitude, 1 is full scale."""


def inspect(recording: Recording) -> Defects:
    """Look for faults of one line."""
    audio = recording.audio
    finite = bool(np.isfinite(audio).all())
    audio = np.nan_to_num(audio)
    peak = float(np.abs(audio).max(initial=0.0))
    return Defects(finite, _clipped(audio), _dead_air(recording), peak)


def is_spoken(recording: Recording) -> bool:
    """Whether a line of one syllable is heard: at a sane level, for a sane time."""
    audio = np.nan_to_num(recording.audio)
    level = np.abs(audio)
    loud_s = float((level > SPOKEN_LEVEL).sum()) / SAMPLE_RATE
    return loud_s > SHORTEST_S and recording.seconds < LONGEST_S


def _clipped(audio: np.ndarray) -> int:
    full = np.abs(audio) >= 32766 / 32768
    edges = np.flatnonzero(np.diff(np.concatenate([[False], full, [False]]).astype(int)))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= CLIPPED_RUN].sum())


def _dead_air(recording: Recording) -> float:
    """Longest silence within a run of sounding phonemes."""
    audio = np.nan_to_num(recording.audio)
    n_blocks = len(audio) // BLOCK
    if not n_blocks:
        return 0.0
    level = 10.0 * np.log10((audio[: n_blocks * BLOCK].reshape(-1, BLOCK) ** 2).mean(1) + 1e-12)
    silent = level < level.max() + SILENCE_DB
    longest = 0
    for start, end in _spoken_stretches(recording.segments, n_blocks * BLOCK / SAMPLE_RATE):
        blocks = silent[int(start * SAMPLE_RATE / BLOCK) : int(end * SAMPLE_RATE / BLOCK)]
        longest = max(longest, _longest_run(blocks))
    return longest * BLOCK / SAMPLE_RATE


def _spoken_stretches(segments: tuple[Segment, ...], seconds: float) -> list[tuple[float, float]]:
    """Join neighbouring sounding segments; without segments the whole line counts as speech."""
    stretches: list[tuple[float, float]] = [] if segments else [(0.0, seconds)]
    for segment in segments:
        if not segment.sounds:
            continue
        if stretches and abs(stretches[-1][1] - segment.start) < 1e-3:
            stretches[-1] = (stretches[-1][0], segment.end)
        else:
            stretches.append((segment.start, segment.end))
    return stretches


def _longest_run(flags: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
