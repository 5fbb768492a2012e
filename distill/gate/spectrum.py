"""Log-mel frames and cepstra of a line, in numpy: quick, and no teacher needs PyTorch for it."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.spec import SAMPLE_RATE

from ..sound import Audio

Frames = NDArray[np.float32]

HOP = 320  # samples, 10 ms at 32 kHz
STEP_S = HOP / SAMPLE_RATE
N_FFT = 1024  # samples, 32 ms
N_MELS = 40
CEILING = 8000.0  # Hz; many voices hold nothing above
FLOOR_DB = 70.0  # below the loudest band of the line; quieter is taken for silence
N_CEPSTRA = 13


def log_mel(audio: Audio) -> Frames:
    """Give (n_frames, N_MELS) natural logs of mel-band powers, a frame centred every 10 ms."""
    padded = np.pad(audio, N_FFT // 2)
    framed = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    power = np.abs(np.fft.rfft(framed * _window(), axis=1).astype(np.complex64)) ** 2 @ _filters()
    floor = max(float(power.max(initial=0.0)) * 10 ** (-FLOOR_DB / 10), 1e-12)
    return np.log(np.maximum(power, floor)).astype(np.float32)


def static_cepstra(mel: Frames) -> Frames:
    """Give (n_frames, N_CEPSTRA) of log-mel frames."""
    return mel @ _cosines()


def cepstra(mel: Frames) -> Frames:
    """Give (n_frames, 2 * N_CEPSTRA): cepstra less the mean of the line's louder half, and their slopes."""
    static = static_cepstra(mel)
    loud = static[:, 0] >= np.median(static[:, 0])
    static = static - static[loud].mean(axis=0)
    return np.concatenate((static, slopes(static)), axis=1)


def slopes(frames: Frames) -> Frames:
    """Give the slope over five frames by least squares, per frame."""
    padded = np.pad(frames, ((2, 2), (0, 0)), mode="edge")
    return (2 * (padded[4:] - padded[:-4]) + padded[3:-1] - padded[1:-3]) / np.float32(10)


@cache
def _window() -> Frames:
    return np.hanning(N_FFT + 1)[:-1].astype(np.float32)


@cache
def _filters() -> Frames:
    """Give (n_bins, N_MELS) triangles on the mel scale."""
    top = 2595 * np.log10(1 + CEILING / 700)
    edges = 700 * (10 ** (np.linspace(0, top, N_MELS + 2) / 2595) - 1)
    bins = np.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


@cache
def _cosines() -> Frames:
    """Give (N_MELS, N_CEPSTRA), the cosine transform."""
    bands = (np.arange(N_MELS) + 0.5)[:, None]
    scale = np.sqrt(2 / N_MELS)
    return (scale * np.cos(np.pi / N_MELS * bands * np.arange(N_CEPSTRA))).astype(np.float32)
