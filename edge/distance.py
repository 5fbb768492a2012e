"""Distance of two sounds: level differences that the ear may notice, and the noise between samples."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .spec import SAMPLE_RATE

N_MELS = 80
N_FFT = 1024  # samples
HOP = 256  # samples, 8 ms
FLOOR_DB = 60.0  # below a line's loudest band and frame, differences are not counted


@functools.lru_cache(maxsize=1)
def mel_filters() -> NDArray[Any]:
    """(N_MELS, N_FFT / 2 + 1) triangles, evenly spaced on the mel scale up to half the sample rate.

    Source: mel = 2595 log10(1 + f / 700), O'Shaughnessy 1987.
    """
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, N_MELS + 2) / 2595) - 1)
    frequencies = np.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    rising = (frequencies - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - frequencies) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(rising, falling))


def mel_levels(audio: NDArray[Any]) -> NDArray[Any]:
    """(frames, N_MELS) band levels in dB."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, N_FFT)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(N_FFT))) ** 2
    levels: NDArray[Any] = 10 * np.log10(power @ mel_filters().T + 1e-12)
    return levels


def log_mel_distance(reference: NDArray[Any], other: NDArray[Any]) -> float:
    """Root mean square difference in dB over all bands and frames, quiet ones held at the floor."""
    left, right = mel_levels(reference), mel_levels(other)
    floor = left.max() - FLOOR_DB
    return float(np.sqrt(np.mean((np.maximum(left, floor) - np.maximum(right, floor)) ** 2)))


def snr_db(reference: NDArray[Any], other: NDArray[Any]) -> float:
    """Signal-to-noise ratio of the samples; phase counts too, so this is stricter than the ear."""
    noise = float(np.sum((reference.astype(np.float64) - other) ** 2))
    return float(10 * np.log10(np.sum(reference.astype(np.float64) ** 2) / max(noise, 1e-30)))
