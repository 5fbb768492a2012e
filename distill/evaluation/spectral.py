"""Spectral distance of two renderings of one line, tempo taken out by time warping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pyworld
from numpy.typing import NDArray

from edge.spec import SAMPLE_RATE

from .speech import Samples

HOP = 320  # samples, 10 ms
N_FFT = 1024
N_MELS = 80
BAND_HZ = (50.0, 8000.0)  # every teacher has sound up to here: Flite speaks at 16 kHz
FLOOR_DB = -60.0  # below full scale, per band: what is quieter is silence and all silence is alike


@cache
def mel_filters(n_mels: int = N_MELS) -> NDArray[np.float64]:
    """Triangles of equal area, (n_mels, N_FFT // 2 + 1), equally spaced in mel over ``BAND_HZ``."""
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in BAND_HZ)
    corners = 700.0 * (10.0 ** (np.linspace(low, high, n_mels + 2) / 2595.0) - 1.0)
    bins = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    triangles = np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    triangles = np.maximum(triangles, 0.0)
    return triangles / triangles.sum(1, keepdims=True)


def log_mel(audio: Samples, n_mels: int = N_MELS) -> NDArray[np.float64]:
    """Return (n_frames, n_mels) in dB of full scale, from ``FLOOR_DB`` up; frame k is centred at 10 k ms."""
    padded = np.pad(audio.astype(np.float64), N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    window = np.hanning(N_FFT + 1)[:-1]
    power = np.abs(np.fft.rfft(frames * window)) ** 2 / (window.sum() / 2.0) ** 2
    return np.maximum(10.0 * np.log10(power @ mel_filters(n_mels).T + 1e-12), FLOOR_DB)


def envelope_mel(audio: Samples, n_mels: int = N_MELS) -> NDArray[np.float64]:
    """Like ``log_mel``, but of the spectral envelope alone: what the vocal tract does, no trace of the pitch.

    In ``log_mel`` the harmonics of a high voice stand apart, and a semitone of pitch weighs more than vowels.

    Source: CheapTrick of WORLD, Morise 2015; distances of WORLD envelopes are how mel-cepstral distortion is
    usually taken.
    """
    x = audio.astype(np.float64)
    coarse, times = pyworld.dio(x, SAMPLE_RATE, frame_period=1000.0 * HOP / SAMPLE_RATE)
    f0 = pyworld.stonemask(x, coarse, times, SAMPLE_RATE)
    power = pyworld.cheaptrick(x, f0, times, SAMPLE_RATE, fft_size=2 * N_FFT)[:, ::2]
    window = np.hanning(N_FFT + 1)[:-1]
    level = (window**2).sum() / (window.sum() / 2.0) ** 2  # what `log_mel` finds in noise of unit variance
    return np.maximum(10.0 * np.log10(level * power @ mel_filters(n_mels).T + 1e-12), FLOOR_DB)


def warp(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the cheapest monotonic path (n, 2) of frame pairs from the first pair to the last.

    Args:
        one: (n_frames, n_mels) in dB.
        other: the same for the other sound, of any length.

    Source: Sakoe and Chiba 1978, symmetric steps (1, 0), (0, 1), (1, 1) with weights 1, 1, 2.
    """
    cost = frame_distances(one, other)
    total = _accumulate(cost)
    i, j = cost.shape[0] - 1, cost.shape[1] - 1
    path = [(i, j)]
    while i or j:
        options = (
            (total[i, j] + 2.0 * cost[i, j], i - 1, j - 1),
            (total[i, j + 1] + cost[i, j], i - 1, j),
            (total[i + 1, j] + cost[i, j], i, j - 1),
        )
        _, i, j = min(option for option in options if option[1] >= 0 and option[2] >= 0)
        path.append((i, j))
    return np.array(path[::-1])


def frame_distances(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square difference in dB between every pair of frames, (n, m)."""
    square = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2.0 * one @ other.T
    return np.sqrt(np.maximum(square, 0.0) / one.shape[1])


def _accumulate(cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cheapest way to each pair, (n + 1, m + 1) with a border, one anti-diagonal at a time."""
    n, m = cost.shape
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0.0
    for diagonal in range(n + m - 1):
        i = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        j = diagonal - i
        here = cost[i, j]
        best = np.minimum(total[i, j] + 2.0 * here, np.minimum(total[i, j + 1], total[i + 1, j]) + here)
        total[i + 1, j + 1] = best
    return total


def vocoder_copies(audio: Samples, semitones: Sequence[float]) -> list[Samples]:
    """Take a line apart with the WORLD vocoder and put it together again, nothing predicted and nothing lost.

    The distance of a copy to the original says how close pitch, envelope and noise can come.

    Args:
        audio: (n,) in [-1, 1].
        semitones: by which each copy is higher; 0 for the line as it is.

    Source: WORLD, Morise et al. 2016 (DIO, CheapTrick, D4C).
    """
    x = audio.astype(np.float64)
    coarse, times = pyworld.dio(x, SAMPLE_RATE)
    f0 = pyworld.stonemask(x, coarse, times, SAMPLE_RATE)
    envelope = pyworld.cheaptrick(x, f0, times, SAMPLE_RATE)
    aperiodicity = pyworld.d4c(x, f0, times, SAMPLE_RATE)
    copies = [
        pyworld.synthesize(f0 * 2.0 ** (higher / 12.0), envelope, aperiodicity, SAMPLE_RATE)
        for higher in semitones
    ]
    return [np.asarray(copy[: len(audio)], np.float32) for copy in copies]


Analysis = Callable[[Samples], NDArray[np.float64]]


def warped_distance(one: Samples, other: Samples, analysis: Analysis = log_mel) -> float:
    """Mean difference in dB per mel band along the warping path; 0 for equal sounds."""
    first, second = analysis(one), analysis(other)
    path = warp(first, second)
    return float(np.sqrt(((first[path[:, 0]] - second[path[:, 1]]) ** 2).mean(1)).mean())
