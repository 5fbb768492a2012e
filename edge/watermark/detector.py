"""Detector of the mark: whether a clip carries the pattern of a key, wherever in it the pattern starts.

The energy of each cell is compared with its neighbours in time and in pitch, which takes voice, room and
equaliser away; what is left is compared with the pattern at every start that there is. Decoy keys say what
chance alone gives on this very clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..spec import N_FFT, SAMPLE_RATE
from .pattern import CELL_BINS, CELL_FRAMES, FIRST_BIN, N_BANDS, N_CELLS, PUBLIC_KEY, signs

Float64 = NDArray[np.float64]
Verdict = Literal["found", "inconclusive", "not found"]

STEP = 256  # samples between offsets that are tried
STRIDE = 2  # frames of STEP that make a hop
OFFSETS = CELL_FRAMES * STRIDE
FLOOR_DB = 80.0  # cells that much softer than the clip are rounding and say nothing
LIMIT_DB = 6.0
N_DECOYS = 50
FOUND = 6.5
"""Least score that counts as found; docs/labels-and-mark.md says from how many clips it was derived."""
MARGIN = 1.15  # over the best decoy
INCONCLUSIVE = 5.0
SHORTEST_S = 0.5


@dataclass(frozen=True)
class Detection:
    """What was found in a clip."""

    verdict: Verdict
    """``found``, ``inconclusive`` or ``not found``."""
    score: float
    """Correlation with the pattern in units of its own scatter, the best of all starts."""
    best_decoy: float
    """The same of the best of ``N_DECOYS`` other keys."""
    seconds: float
    """Of the clip."""


def detect(samples: NDArray[np.float32], sample_rate: int, key: bytes = PUBLIC_KEY) -> Detection:
    """Look for the mark.

    Args:
        samples: (n,) mono.
        sample_rate: Hz, at least 8000.
        key: of the pattern.
    """
    seconds = len(samples) / sample_rate
    cells = residuals(resample(samples, sample_rate))
    if cells is None:
        return Detection("not found", 0.0, 0.0, seconds)
    score = best_score(cells, key)
    decoy = max(best_score(cells, b"decoy %d" % number) for number in range(N_DECOYS))
    return Detection(_verdict(score, decoy), round(score, 2), round(decoy, 2), round(seconds, 2))


def _verdict(score: float, decoy: float) -> Verdict:
    if score >= FOUND and score > MARGIN * decoy:
        return "found"
    return "inconclusive" if score >= INCONCLUSIVE else "not found"


def resample(samples: NDArray[np.float32], sample_rate: int) -> Float64:
    """(m,) the clip at 32 kHz, through its spectrum; what lies above 16 kHz is lost."""
    audio = np.asarray(samples, np.float64)
    if sample_rate == SAMPLE_RATE or not len(audio):
        return audio
    size = round(len(audio) * SAMPLE_RATE / sample_rate)
    spectrum = np.fft.rfft(audio)
    wanted = size // 2 + 1
    padded = np.zeros(wanted, np.complex128)
    padded[: min(wanted, len(spectrum))] = spectrum[:wanted]
    whole: Float64 = np.fft.irfft(padded, size) * (size / len(audio))
    return whole


def residuals(audio: Float64) -> list[tuple[Float64, Float64]] | None:
    """Cells of every offset, folded to one period: (N_CELLS, N_BANDS) sums, and sums of squares.

    None for a clip that is too short or silent.
    """
    if len(audio) < SHORTEST_S * SAMPLE_RATE:
        return None
    power = _band_power(audio)  # (frames at STEP, N_BANDS)
    if len(power) < 3 * OFFSETS + OFFSETS or power.max() <= 1e-12:
        return None
    return [_fold(_cells(power, offset)) for offset in range(OFFSETS)]


def _band_power(audio: Float64) -> Float64:
    window = np.hanning(N_FFT + 1)[:-1]
    frames = np.lib.stride_tricks.sliding_window_view(audio, N_FFT)[::STEP]
    bands = np.empty((len(frames), N_BANDS))
    for at in range(0, len(frames), 256):
        spectrum = np.fft.rfft(frames[at : at + 256] * window)
        power = np.abs(spectrum[:, FIRST_BIN : FIRST_BIN + N_BANDS * CELL_BINS]) ** 2
        bands[at : at + 256] = power.reshape(len(power), N_BANDS, CELL_BINS).sum(axis=2)
    return bands


def _cells(power: Float64, offset: int) -> Float64:
    """(n, N_BANDS) whitened residuals of the cells that start at an offset; zeros where nothing was said."""
    frames = power[offset::STRIDE]
    n = len(frames) // CELL_FRAMES
    energy = frames[: n * CELL_FRAMES].reshape(n, CELL_FRAMES, N_BANDS).sum(axis=1)
    level = 10 * np.log10(energy + 1e-12)
    heard = level > 10 * np.log10(energy.mean() + 1e-12) - FLOOR_DB
    residual = np.zeros_like(level)
    residual[1:-1] = level[1:-1] - 0.5 * (level[:-2] + level[2:])
    heard[1:-1] &= heard[:-2] & heard[2:]
    heard[[0, -1]] = False
    residual -= _local_mean(np.where(heard, residual, 0.0), heard)
    residual = np.where(heard, np.clip(residual, -LIMIT_DB, LIMIT_DB), 0.0)
    scale = np.sqrt((residual**2).sum(axis=0) / np.maximum(heard.sum(axis=0), 1))
    whitened: Float64 = residual / np.maximum(scale, 1e-6)
    return whitened


def _local_mean(values: Float64, heard: NDArray[np.bool_]) -> Float64:
    """Mean over nine bands around each, of the cells that were heard."""
    kernel = np.ones(9)
    total = np.apply_along_axis(np.convolve, 1, values, kernel, "same")
    count = np.apply_along_axis(np.convolve, 1, heard.astype(np.float64), kernel, "same")
    mean: Float64 = total / np.maximum(count, 1.0)
    return mean


def _fold(cells: Float64) -> tuple[Float64, Float64]:
    padded = np.zeros((-(-len(cells) // N_CELLS) * N_CELLS, N_BANDS))
    padded[: len(cells)] = cells
    turns = padded.reshape(-1, N_CELLS, N_BANDS)
    return turns.sum(axis=0), (turns**2).sum(axis=0)


def template(key: bytes) -> Float64:
    """(N_CELLS, N_BANDS) what the pattern leaves after the same comparison with its neighbours."""
    table = signs(key).astype(np.float64)
    left = table - 0.5 * (np.roll(table, 1, axis=0) + np.roll(table, -1, axis=0))
    return left - _local_mean(left, np.ones_like(left, bool))


def best_score(cells: list[tuple[Float64, Float64]], key: bytes) -> float:
    """Best correlation over all starts: every offset, and every phase of the period by one transform."""
    wanted = template(key)
    pattern, squares = np.fft.rfft(wanted, axis=0), np.fft.rfft(wanted**2, axis=0)
    best = 0.0
    for total, power in cells:
        hits = np.fft.irfft(np.fft.rfft(total, axis=0) * np.conj(pattern), N_CELLS, axis=0).sum(axis=1)
        scatter = np.fft.irfft(np.fft.rfft(power, axis=0) * np.conj(squares), N_CELLS, axis=0).sum(axis=1)
        best = max(best, float((hits / np.sqrt(np.maximum(scatter, 1e-9))).max()))
    return best
