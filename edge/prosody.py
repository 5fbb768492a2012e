"""Prosody: from what the encoder predicts per phoneme to what decoder and head need per frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from .spec import F0_POINTS, N_FRAME_FEATURES, ZERO_LENGTH_SYMBOLS
from .text.expression import PLAIN, Shape

EDGE_FRAMES = 15  # distance to a phoneme's edges is told to the decoder up to this many frames
LOG_F0_CENTRE = 5.3  # ln(200 Hz): brings ln(F0) near zero
MAX_DRIFT = 2.0  # frames, 32 ms, by which a phrase as spoken may run ahead of the prediction or behind it
MIN_F0_HZ, MAX_F0_HZ = 30.0, 1200.0  # a wild prediction must not put a pulse on every sample

_POINT_POSITIONS = (np.arange(F0_POINTS) + 0.5) / F0_POINTS


@dataclass(frozen=True)
class FramePlan:
    """A phrase laid out on the frame grid."""

    durations: NDArray[np.int64]
    """(P,) whole frames per phoneme; sums to T."""
    f0_edges: NDArray[np.float64]
    """(T + 1,) Hz at the frame boundaries."""
    features: NDArray[np.float32]
    """(1, T, 6) float32, second input of the decoder."""

    @property
    def n_frames(self) -> int:
        """Frames of the phrase, T."""
        return int(self.features.shape[1])


def sounded_mask(phonemes: Sequence[str]) -> NDArray[np.bool_]:
    """(P,) True for every phoneme that takes time: all but the pitch marks."""
    return np.array([symbol not in ZERO_LENGTH_SYMBOLS for symbol in phonemes], dtype=bool)


def whole_durations(
    durations: NDArray[np.floating], sounded: NDArray[np.bool_], rate: float = 1.0
) -> NDArray[np.int64]:
    """Round durations to whole frames: each to the nearest, unless their sum drifts too far by that.

    Rounding their running sum instead would never drift, but moves both ends of a phoneme, and short ones,
    of three or four frames in Japanese, lose their rhythm by it.

    Args:
        durations: (P,) frames, fractional, not negative.
        sounded: (P,) False for phonemes that take no time at all.
        rate: speaking rate; 2.0 is twice as fast.

    Returns:
        (P,) frames; at least 1 where ``sounded``, else 0. Their running sum stays within ``MAX_DRIFT``
        frames of the wanted one, or returns there as soon as phonemes of more than one frame allow.
    """
    drift, frames = 0.0, []
    for length in (durations[sounded].astype(np.float64) / rate).tolist():
        least, most = ceil(length - drift - MAX_DRIFT), floor(length - drift + MAX_DRIFT)
        frames.append(max(1, min(max(round(length), least), most)))
        drift += frames[-1] - length
    whole = np.zeros(len(durations), np.int64)
    whole[sounded] = frames
    return whole


def f0_at_edges(
    log_f0: NDArray[np.floating], durations: NDArray[np.int64], pitch: float = 0.0
) -> NDArray[np.float64]:
    """Draw the pitch contour through the targets of all phonemes that take time.

    Args:
        log_f0: (P, F0_POINTS) natural logarithm of Hz.
        durations: (P,) whole frames.
        pitch: shift in semitones.

    Returns:
        (T + 1,) Hz at the frame boundaries, linear in ln(Hz) between targets.
    """
    kept = durations > 0
    starts = (np.cumsum(durations) - durations)[kept]
    times = (starts[:, None] + _POINT_POSITIONS * durations[kept, None]).ravel()
    contour = log_f0[kept].astype(np.float64).ravel() + pitch * np.log(2) / 12
    edges = np.interp(np.arange(int(durations.sum()) + 1), times, contour)
    bounded: NDArray[np.float64] = np.clip(np.exp(edges), MIN_F0_HZ, MAX_F0_HZ)
    return bounded


def frame_features(
    durations: NDArray[np.int64], f0_edges: NDArray[np.float64], energy: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Tell each frame where it lies in its phoneme, and its pitch and loudness.

    Args:
        durations: (P,) whole frames, summing to T.
        f0_edges: (T + 1,) Hz.
        energy: (P,) as predicted by the encoder.

    Returns:
        (T, 6): position in the phoneme 0..1, frames since its start / 8, frames to its end / 8,
        ln(duration) / 2, ln(F0 mid-frame) - 5.3, energy.
    """
    length = np.repeat(durations, durations)
    start = np.repeat(np.cumsum(durations) - durations, durations)
    since = np.arange(len(length)) - start
    features = np.empty((len(length), N_FRAME_FEATURES), dtype=np.float32)
    features[:, 0] = (since + 0.5) / length
    features[:, 1] = np.minimum(since, EDGE_FRAMES) / 8
    features[:, 2] = np.minimum(length - 1 - since, EDGE_FRAMES) / 8
    features[:, 3] = np.log(length) / 2
    features[:, 4] = np.log((f0_edges[:-1] + f0_edges[1:]) / 2) - LOG_F0_CENTRE
    features[:, 5] = np.repeat(energy, durations)
    return features


def plan_frames(
    durations: NDArray[np.floating],
    log_f0: NDArray[np.floating],
    energy: NDArray[np.floating],
    sounded: NDArray[np.bool_],
    *,
    rate: float = 1.0,
    pitch: float = 0.0,
    shape: Shape = PLAIN,
) -> FramePlan:
    """Lay a phrase out on the frame grid, at the wanted rate and pitch.

    Args:
        durations: (P,) frames, fractional.
        log_f0: (P, F0_POINTS) ln(Hz).
        energy: (P,).
        sounded: (P,) from :func:`sounded_mask`.
        rate: 0.5 to 2.0.
        pitch: semitones, -12 to 12.
        shape: factors of the durations, and semitones up and of rise, (P,) each, or nothing.
    """
    if shape.stretch:
        durations = durations * np.asarray(shape.stretch)
        semitones = np.asarray(shape.lift)[:, None] + np.outer(shape.rise, _POINT_POSITIONS)
        log_f0 = log_f0 + semitones * np.log(2) / 12
    whole = whole_durations(durations, sounded, rate)
    f0_edges = f0_at_edges(log_f0, whole, pitch)
    return FramePlan(whole, f0_edges, frame_features(whole, f0_edges, energy)[None])
