"""Log-mel energies as Kaldi computes them, which the speaker-verification network was trained on."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

SAMPLE_RATE = 16000  # Hz
FRAME_LENGTH = 400  # samples, 25 ms
FRAME_SHIFT = 160  # samples, 10 ms
N_FFT = 512
N_MELS = 80
LOW_HZ = 20.0
PRE_EMPHASIS = 0.97
FLOOR = 1.1920928955078125e-07  # the epsilon of single precision


def fbank(waveform: Tensor) -> Tensor:
    """Turn 16 kHz sound in [-1, 1], (B, N), into natural logs of mel energies (B, T, 80).

    Only whole frames count, so T is 1 + (N - 400) // 160. There is no dither.

    Raises:
        ValueError: the sound is shorter than a frame.

    Source: Kaldi, compute-fbank-feats with its defaults, but for 80 bins and no dither.
    """
    if waveform.shape[-1] < FRAME_LENGTH:
        raise ValueError(f"{waveform.shape[-1]} samples are less than the {FRAME_LENGTH} of a frame (25 ms)")
    frames = waveform.unfold(-1, FRAME_LENGTH, FRAME_SHIFT)  # (B, T, 400)
    frames = frames - frames.mean(-1, keepdim=True)
    before = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)  # the first sample stands before itself
    frames = (frames - PRE_EMPHASIS * before) * _povey_window().to(frames)
    power = torch.fft.rfft(frames, N_FFT).abs().square()  # (B, T, 257)
    return (power @ _mel_filters().to(frames)).clamp_min(FLOOR).log()


@cache
def _povey_window() -> Tensor:
    return torch.hann_window(FRAME_LENGTH, periodic=False, dtype=torch.float64).pow(0.85)


@cache
def _mel_filters() -> Tensor:
    """Return (257, 80): triangles whose flanks are straight in mel; the topmost bin is in none."""
    mels = _mel(torch.arange(N_FFT // 2 + 1, dtype=torch.float64) * (SAMPLE_RATE / N_FFT))[:, None]
    ends = _mel(torch.tensor([LOW_HZ, SAMPLE_RATE / 2], dtype=torch.float64))
    edges = torch.linspace(float(ends[0]), float(ends[1]), N_MELS + 2, dtype=torch.float64)
    rising = (mels - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mels) / (edges[2:] - edges[1:-1])
    return torch.minimum(rising, falling).clamp_min(0.0)


def _mel(hz: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(hz / 700.0)
